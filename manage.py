#!/usr/bin/env python3
"""One command from a fresh clone to a running product: `python3 manage.py up`.

`up` and `test` work where nothing is installed: they make `.venv` beside this file, install what the compiled
requirement files name (each package checked against its hash), and go on inside it. Every other command is Django's
own and needs that to have happened.

This file runs before anything is installed, so it uses the standard library alone and no syntax that a Python older
than the product's cannot read: even there it ends with one sentence instead of a traceback.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
OLDEST_PYTHON = (3, 11)
# What each command needs: the requirement file, and its name in both languages.
NEEDS = {
    "up": [("requirements.txt", "运行所需的包", "packages that run it")],
    "test": [
        ("requirements.txt", "运行所需的包", "packages that run it"),
        ("tests/requirements.txt", "测试所需的包", "packages that test it"),
    ],
}


def refuse(chinese: str, english: str) -> NoReturn:
    """End with one sentence in each language: what is missing, and what to do about it."""
    sys.stderr.write(f"\n{chinese}\n{english}\n")
    raise SystemExit(1)


class Ticker:
    """One line that shows a slow step is alive: its name, the seconds so far, a detail. Plain lines off a terminal."""

    def __init__(self, chinese: str, english: str) -> None:
        self.name = f"{chinese} {english}"
        self.detail = ""
        self.started = time.monotonic()
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> "Ticker":
        self.thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.done.set()
        self.thread.join()
        mark = "✗" if failure[0] else "✓"
        seconds = time.monotonic() - self.started
        sys.stderr.write(f"{self._clear()}{mark} {self.name}  {seconds:.1f} s\n")

    def _clear(self) -> str:
        return "\r\033[K" if sys.stderr.isatty() else ""

    def _tick(self) -> None:
        every = 0.5 if sys.stderr.isatty() else 15
        end = "" if sys.stderr.isatty() else "\n"
        while True:
            seconds = time.monotonic() - self.started
            sys.stderr.write(f"{self._clear()}… {self.name}  {seconds:.0f} s  {self.detail}{end}")
            sys.stderr.flush()
            if self.done.wait(every):
                return


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Two first starts at once must not write the same environment: the second waits for the first."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def make_environment() -> None:
    """Make `.venv` with this Python, or say in one sentence why that cannot be."""
    try:
        tempfile.TemporaryFile(dir=str(ROOT)).close()
    except OSError as error:
        refuse(
            f"文件夹 {ROOT} 不可写（{error.strerror}），请换到可写的文件夹再运行。",
            f"The folder {ROOT} cannot be written ({error.strerror}): run this from a copy in a folder of your own.",
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        refuse(
            "这个 Python 缺少 venv 模块，请先安装（Debian 或 Ubuntu：sudo apt install python3-venv）再运行。",
            "This Python lacks its venv module: install it first (Debian or Ubuntu: sudo apt install python3-venv).",
        )
    with Ticker("创建虚拟环境", "Making the virtual environment"):
        made = subprocess.run(
            [sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    if made.returncode != 0:
        sys.stderr.write(made.stdout)
        refuse(
            f"无法创建虚拟环境 {ENVIRONMENT}，原因见上。",
            f"The virtual environment {ENVIRONMENT} could not be made: see above.",
        )


def stamp_of(requirements: Path) -> str:
    """What an installation depends on: the compiled file's bytes and the Python that it was made for."""
    return f"{hashlib.sha256(requirements.read_bytes()).hexdigest()} python{sys.version_info[0]}.{sys.version_info[1]}"


def install(name: str, chinese: str, english: str) -> None:
    """Install one compiled requirement file into `.venv`, unless exactly this file is installed already."""
    requirements = ROOT / name
    stamp = ENVIRONMENT / ("installed-" + name.replace("/", "-"))
    if stamp.exists() and stamp.read_text() == stamp_of(requirements):
        return
    with alone():
        if stamp.exists() and stamp.read_text() == stamp_of(requirements):
            return
        if subprocess.run([sys.executable, "-c", "import pip"], stderr=subprocess.DEVNULL).returncode != 0:
            # An environment whose making was interrupted, or that another tool made.
            subprocess.run([sys.executable, "-m", "ensurepip"], stdout=subprocess.DEVNULL, check=True)
        _pip_install(requirements, chinese, english)
        stamp.write_text(stamp_of(requirements))


def _pip_install(requirements: Path, chinese: str, english: str) -> None:
    total = len(re.findall(r"^[A-Za-z0-9]\S*==", requirements.read_text(), re.MULTILINE))
    command = [sys.executable, "-m", "pip", "install", "--require-hashes", "-r", str(requirements)]
    command += ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    last: deque = deque(maxlen=20)
    with Ticker("安装" + chinese, "Installing the " + english) as ticker:
        pip = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=dict(os.environ, PIP_USER="0")
        )
        assert pip.stdout
        found = 0
        for line in pip.stdout:
            last.append(line)
            if line.startswith(("Collecting ", "Requirement already satisfied: ")):
                found += 1
                ticker.detail = f"{min(found, total)}/{total}"
            elif line.startswith("Installing collected packages"):
                ticker.detail = f"{total}/{total}, unpacking"
        failed = pip.wait() != 0
    if failed:
        sys.stderr.write("".join(last))
        refuse(
            "安装失败，原因见上（通常是没有网络或磁盘已满）；修好后再运行同一命令即可继续。",
            "The installation failed: see above (mostly no network, or a full disk). Then run this again.",
        )


def go_inside() -> NoReturn:
    """Go on as the same process inside `.venv`, so that whoever started this one still holds the right process."""
    os.execv(str(PYTHON), [str(PYTHON), str(Path(__file__).resolve()), *sys.argv[1:]])


def is_inside() -> bool:
    return ENVIRONMENT.exists() and ENVIRONMENT.samefile(sys.prefix)


def main() -> None:
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if sys.version_info[:2] < OLDEST_PYTHON:
        refuse(
            f"需要 Python 3.11 或更新的版本，这里是 {sys.version.split()[0]}。",
            f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.",
        )
    if not is_inside():
        if command in NEEDS and not PYTHON.exists():
            with alone():
                if not PYTHON.exists():
                    make_environment()
        if PYTHON.exists():
            go_inside()
    for need in NEEDS.get(command, []):
        install(*need)
    try:
        import django  # noqa: F401
    except ImportError:
        refuse(
            "还没有安装：请先运行 python3 manage.py up。", "Nothing is installed yet: run python3 manage.py up first."
        )

    from backend.core.launch import environment, start, testing

    if command == "test":
        testing.run(sys.argv[2:])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")
    if command == "up":
        sys.exit(start.up(sys.argv[2:]))
    environment.adopt()
    from django.core.management import execute_from_command_line

    import backend.celery  # noqa: F401 - tasks sent by a command go to the configured broker

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.stderr.write("\n已停止。 Stopped.\n")
        raise SystemExit(130) from None
