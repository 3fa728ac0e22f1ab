"""The real command, started as a person starts it, on a data folder and a port of its own."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend.core.launch.environment import ROOT

OWN_VARIABLES = (
    "DATA_DIR",
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "DEMO",
    "DEBUG",
    "ALLOWED_HOSTS",
    "LEDGER_ORIGIN",
)


def clean_environment() -> dict[str, str]:
    """This run's environment without what it decided for its own tests."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in OWN_VARIABLES and not name.startswith(("WECHAT_", "DJANGO_", "PYTEST_"))
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def processes_of(data_dir: Path) -> dict[int, str]:
    """The living processes that were started for this data folder: process number to command line."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        with contextlib.suppress(OSError):
            is_zombie = (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
            command = (entry / "cmdline").read_text().replace("\0", " ")
            variables = (entry / "environ").read_bytes().split(b"\0")
            # The broker writes its title over its environment; its title names its socket.
            is_ours = f"DATA_DIR={data_dir}".encode() in variables or f":{data_dir}/run/" in command
            if is_ours and not is_zombie:
                found[int(entry.name)] = command
    return found


class Up:
    """One running `manage.py up`."""

    def __init__(self, data_dir: Path, *options: str, **environ: str) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.output = data_dir.with_name(data_dir.name + ".out")
        # Started with DATA_DIR rather than --data-dir, so that every process of it can be told from others.
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--port", str(self.port), *options],
                cwd=ROOT,
                env={**clean_environment(), "DATA_DIR": str(data_dir), **environ},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def wait_for(self, words: str, seconds: float = 120) -> "Up":
        until = time.monotonic() + seconds
        while words not in self.text:
            assert self.process.poll() is None, f"up ended with {self.process.returncode}:\n{self.text}"
            assert time.monotonic() < until, f"never said {words!r}:\n{self.text}"
            time.sleep(0.05)
        return self

    def wait_until_started(self) -> "Up":
        return self.wait_for("Ctrl-C")

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)

    def children(self) -> dict[int, str]:
        return {pid: command for pid, command in processes_of(self.data_dir).items() if pid != self.process.pid}

    def pid_of(self, part: str) -> int:
        """The child whose command names this part, and which the start itself started."""
        for pid, command in self.children().items():
            parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            if part in command and parent == self.process.pid:
                return pid
        raise AssertionError(f"no {part} among {self.children()}")


def wait_until_gone(data_dir: Path, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while left := processes_of(data_dir):
        assert time.monotonic() < until, f"still running: {left}"
        time.sleep(0.05)


@pytest.fixture
def up() -> Iterator[Callable[..., Up]]:
    """Start `up` on a data folder; whatever is left of it is ended after the test."""
    started: list[Up] = []

    def start(data_dir: Path, *options: str, **environ: str) -> Up:
        started.append(Up(data_dir, *options, **environ))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()
        for pid in one.children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the demonstration in it, made by a first start that was stopped again."""
    data_dir = tmp_path_factory.mktemp("made") / "var"
    first = Up(data_dir)
    try:
        first.wait_until_started()
        assert first.interrupt() == 0, first.text
    finally:
        first.process.kill()
        first.process.wait()
    return data_dir


@pytest.fixture(scope="session")
def running(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A second start on a copy of that folder, left running for the tests that only look at it."""
    started = Up(Path(shutil.copytree(made, tmp_path_factory.mktemp("running") / "var")))
    try:
        yield started.wait_until_started()
    finally:
        started.interrupt()


@pytest.fixture
def demonstration(made: Path, tmp_path: Path) -> Path:
    """A copy of that data folder, to do with as a test likes."""
    return Path(shutil.copytree(made, tmp_path / "var"))


def run_manage(*arguments: str, data_dir: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run one command of manage.py to its end."""
    place = {"DATA_DIR": str(data_dir)} if data_dir else {}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**clean_environment(), **place, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
