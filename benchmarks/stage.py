"""The running product, on a data folder of its own, and the people who act in the measures."""

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from django.core.management import call_command
from django.db import connections
from rich.console import Console

import backend.celery  # noqa: F401 - wake-ups from here go to the broker too
from backend.core import events
from backend.core.launch import valkey, web, worker
from backend.core.launch.children import Child, Children
from backend.core.launch.environment import ROOT, DataFolder
from backend.core.models import Cursor, Event
from backend.evidence.models import Checkpoint

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Stage:
    """Where the product answers, which process answers, and where its progress is said."""

    port: int
    web: int
    console: Console

    def web_seconds(self) -> float:
        """The processor time that the web process has used so far. Unlike a rate, it hardly depends on what else the machine does."""
        fields = Path(f"/proc/{self.web}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def stage(console: Console) -> Iterator[Stage]:
    """Starts Valkey, the worker and the web server; stops them at the end, whatever happened."""
    folder = DataFolder.of(os.environ)
    folder.make()
    children = Children()
    try:
        with console.status("tables, keys, ledger"):
            broker = children.add(
                Child(
                    ("消息服务", "broker"),
                    valkey.command(folder),
                    folder.logs / "valkey.log",
                    cwd=ROOT,
                    ready=lambda: valkey.answers(folder.socket("valkey.sock")),
                )
            )
            children.wait_until_ready(broker)
            _make_data()
        with console.status("worker, web server"):
            port, web_process = _start_product(children, folder)
        yield Stage(port, web_process, console)
    finally:
        children.stop()


def _make_data() -> None:
    import django

    django.setup()

    call_command("migrate", run_syncdb=True, interactive=False, stdout=StringIO())
    call_command("ledger", "init", "--if-empty", stdout=StringIO())
    connections.close_all()


def _start_product(children: Children, folder: DataFolder) -> tuple[int, int]:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    mark = worker.ready_mark(folder.run)
    python = [sys.executable, "-m"]
    started = [
        Child(
            ("后台任务", "worker"),
            [*python, worker.__name__, str(folder.run)],
            folder.logs / "worker.log",
            cwd=ROOT,
            ready=mark.exists,
            patience=10,
        ),
        Child(
            ("网页服务", "web server"),
            [*python, web.__name__, HOST, str(port)],
            folder.logs / "web.log",
            cwd=ROOT,
            ready=lambda: web.answers(HOST, port),
        ),
    ]
    children.wait_until_ready(*(children.add(child) for child in started))
    return port, started[1].pid


def settle(within: float = 120) -> None:
    """Waits until the worker has nothing left to do: every event numbered, in the ledger, and seen by every subscriber."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        newest = events.newest_position()
        behind = Cursor.objects.filter(name__in=events.subscribers(), position__lt=newest).exists()
        size = Checkpoint.objects.filter(chain="supply").order_by("-size").values_list("size", flat=True).first()
        anchored = size == Event.objects.filter(chain="supply").count()
        if anchored and not behind and not Event.objects.filter(position=None).exists():
            return
        time.sleep(0.1)
    raise TimeoutError("the worker did not catch up")
