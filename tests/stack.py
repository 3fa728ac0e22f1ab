"""The running product for tests: real Valkey, worker with beat, WeChat's simulator and web server, on a data folder and database of its own.

`stack` starts it once for all tests that ask for it. Tests that break it make their own: `with running(folder) as product`.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from websockets.sync.client import ClientConnection, connect

from backend.core.launch import valkey, web, worker
from backend.core.launch.children import Child
from backend.core.launch.environment import ROOT, DataFolder, valkey_url
from tests.phone import Json, Phone

HOST = "127.0.0.1"
PYTHON = (sys.executable, "-m")
# What this run decided for its own tests must not reach the product.
OURS = ("PYTEST_", "DJANGO_", "WECHAT_", "REDIS_", "DATA_DIR", "DEMO", "SECRET_KEY", "LEDGER_ORIGIN", "ALLOWED_HOSTS")
MAKE = """
import django, backend.celery
django.setup()
from django.core.management import call_command
call_command("migrate", interactive=False, verbosity=0)
call_command("ledger", "init")
call_command("seed", demo=True)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def wait_until(true: Callable[[], Any], what: str, within: float = 30) -> Any:
    """Asks again and again until it is true, and returns what it said."""
    until = time.monotonic() + within
    while not (found := true()):
        assert time.monotonic() < until, f"not within {within:.0f} s: {what}"
        time.sleep(0.05)
    return found


def _listens(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


class Product:
    """The processes of one running product, each of which can be ended and started again."""

    def __init__(self, folder: DataFolder, database_url: str | None) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.simulator_port = free_port()
        self.running: dict[str, Child] = {}
        self.environ = {name: value for name, value in os.environ.items() if not name.startswith(OURS)} | {
            "DATA_DIR": str(folder.path),
            "DEMO": "true",
            "DJANGO_SETTINGS_MODULE": "backend.settings",
            "REDIS_URL": valkey_url(folder),
            "WECHAT_BASE_URL": f"http://{HOST}:{self.simulator_port}",
        }
        self.environ.pop("DATABASE_URL", None)
        if database_url:
            self.environ["DATABASE_URL"] = database_url

    # --- processes

    def _start(self, name: str, command: list[str], ready: Callable[[], bool], patience: float = 5) -> Child:
        child = Child(
            (name, name),
            command,
            self.folder.logs / f"{name}.log",
            cwd=ROOT,
            ready=ready,
            environ=self.environ,
            patience=patience,
        )
        self.running[name] = child

        def started() -> bool:
            child.raise_if_gone()
            return ready()

        wait_until(started, f"{name} is ready; see {child.log}", 60)
        return child

    def start_broker(self) -> None:
        path = self.folder.socket("valkey.sock")
        self._start("valkey", valkey.command(self.folder), lambda: valkey.answers(path))

    def start_worker(self) -> None:
        mark = worker.ready_mark(self.folder.run)
        mark.unlink(missing_ok=True)
        self._start("worker", [*PYTHON, worker.__name__, str(self.folder.run)], mark.exists, patience=10)

    def start_simulator(self) -> None:
        command = [*PYTHON, "backend.parties.wechat_simulator", "--port", str(self.simulator_port)]
        self._start("wechat-simulator", command, lambda: _listens(self.simulator_port))

    def start_web(self) -> None:
        command = [*PYTHON, web.__name__, HOST, str(self.port)]
        self._start("web", command, lambda: web.answers(HOST, self.port), patience=web.SECONDS_TO_CLOSE + 3)

    def kill(self, name: str) -> None:
        """Ends a process and all it started with -9, as a lost machine would."""
        child = self.running.pop(name)
        os.killpg(child.pid, signal.SIGKILL)
        child.process.wait()

    def stop(self) -> None:
        while self.running:
            self.running.popitem()[1].stop(lambda: False)

    def python(self, *arguments: str, within: float = 120) -> str:
        """What a Python process in the product's environment prints. Fails with all it said when it does not end well."""
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=self.environ, capture_output=True, text=True, timeout=within
        )
        assert done.returncode == 0, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def manage(self, *arguments: str) -> str:
        """What a management command prints."""
        return self.python("-m", "django", *arguments)

    # --- people

    def send(self, client: httpx.Client) -> Callable[..., tuple[int, Json]]:
        """The wire of a tests.phone.Phone over HTTP."""

        def send(method: str, path: str, body: Json | bytes | None, headers: dict[str, str]) -> tuple[int, Json]:
            kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
            content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
            answer = client.request(method, path, content=content, headers=headers | {"Content-Type": kind})
            return answer.status_code, answer.json() if "json" in answer.headers.get("Content-Type", "") else {}

        return send

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, trust_env=False, timeout=30)

    def code(self, handset: str, played: str | None = None) -> str:
        """The code that WeChat gives on this handset, to its owner or to whoever plays on it."""
        with self.client() as client:
            answer = client.post(f"/demo/handsets/{handset}/code", json={"as": played} if played else {})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["code"])

    def phone(self, handset: str, played: str | None = None, *, located: bool = True) -> Phone:
        """The phone of a person of the demonstration, signed in through WeChat's simulator. `located`: consents to location,
        which takes the place of the consent that the same person gave on another phone."""
        phone = Phone(self.send(self.client()), handset=handset)
        status, answer = phone.sign_in(self.code(handset, played))
        assert status == 201, answer
        if located:
            phone.agree_to_location()
        return phone

    def place(self, handset: str) -> tuple[str, str]:
        """Where this handset stands."""
        with self.client() as client:
            here = next(one for one in client.get("/demo/handsets/").json() if one["id"] == handset)["place"]
        return here["latitude"], here["longitude"]

    def console(self, person: str) -> httpx.Client:
        """A browser signed in to the console."""
        client = self.client()
        answer = client.get("/demo/console", params={"as": person})
        assert answer.status_code == 302, answer.text
        return client

    @contextmanager
    def live(self, token: str | None = None, console: httpx.Client | None = None) -> Iterator["Live"]:
        """A WebSocket of a phone (by token) or of a console page (by cookie), let in."""
        cookies = "; ".join(f"{name}={value}" for name, value in console.cookies.items()) if console else ""
        address = f"ws://{HOST}:{self.port}/ws/live/"
        # No pings of the library's own: an idle socket is to be idle.
        with connect(
            address,
            origin=self.url,  # type: ignore[arg-type]
            additional_headers={"Cookie": cookies} if cookies else {},
            ping_interval=None,
        ) as ws:
            ws.send(json.dumps({"type": "authenticate"} | ({"token": token} if token else {})))
            assert json.loads(ws.recv(10)) == {"type": "ready"}
            yield Live(ws)


class Live:
    """An open socket and what it was told."""

    def __init__(self, ws: ClientConnection) -> None:
        self.ws = ws
        self.heard: list[Json] = []

    def wait_for(self, kind: str, within: float = 10, **ids: Any) -> Json:
        """The first push of this kind with these ids, heard already or within that many seconds."""
        until = time.monotonic() + within
        looked = 0
        while True:
            for message in self.heard[looked:]:
                if message.get("kind") == kind and all(message.get(name) == value for name, value in ids.items()):
                    return message
            looked = len(self.heard)
            try:
                self.heard.append(json.loads(self.ws.recv(max(0.0, until - time.monotonic()))))
            except TimeoutError:
                raise AssertionError(f"no {kind} {ids} within {within} s, only {self.heard}") from None


@contextmanager
def database(server: str | None) -> Iterator[str | None]:
    """A fresh database on the PostgreSQL server of DATABASE_URL, dropped afterwards; None where that is not PostgreSQL."""
    if not server or not server.startswith("postgres"):
        yield None
        return
    name = f"yirong_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def made() -> Iterator[Product]:
    """A product whose broker runs and whose tables, ledger and demonstration are made; the rest is for the caller to start."""
    path = Path(tempfile.mkdtemp(prefix="yirong-stack-"))
    folder = DataFolder(path)
    folder.make()
    with database(os.environ.get("DATABASE_URL")) as database_url:
        product = Product(folder, database_url)
        try:
            product.start_broker()
            product.python("-c", MAKE)
            yield product
        finally:
            product.stop()
            shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def stack() -> Iterator[Product]:
    """The whole product, started once."""
    with made() as product:
        product.start_simulator()
        product.start_worker()
        product.start_web()
        yield product
