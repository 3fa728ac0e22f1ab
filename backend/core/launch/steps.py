"""Progress: each step of a start shows that it is alive, how far it is, and how long it took."""

import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from backend.core.launch.children import dies_with_parent
from backend.core.launch.refusal import StartRefused

# Where nobody watches a terminal, a slow step says this often that it goes on, in seconds.
SAY_EVERY = 15
LINES_OF_A_FAILURE = 20


class Step:
    """One step while it runs. What it writes goes to the setup log; its last line is shown beside the step."""

    def __init__(self, log: TextIO) -> None:
        self.detail = ""
        self.lines: deque[str] = deque(maxlen=LINES_OF_A_FAILURE)
        self._log = log

    def write(self, text: str) -> int:
        """Take output, as a file does: this is the stdout of the commands that a step runs."""
        self._log.write(text)
        self._log.flush()
        for line in text.splitlines():
            if line.strip():
                self.lines.append(line.rstrip())
                self.detail = line.strip()[:60]
        return len(text)

    def flush(self) -> None:
        self._log.flush()

    def isatty(self) -> bool:
        return False

    def run(self, command: list[str], *, cwd: Path, environ: Mapping[str, str] | None = None) -> None:
        """Run a program to its end, showing its last line. Raises StartRefused, with its last lines, if it fails.

        The program gets a session of its own, so that an interruption here ends it and whatever it started.
        """
        self.write(f"$ {' '.join(command)}\n")
        program = subprocess.Popen(
            command,
            cwd=cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=dies_with_parent(),
        )
        assert program.stdout
        try:
            for line in program.stdout:
                self.write(line)
            status = program.wait()
        except BaseException:
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()
            raise
        if status != 0:
            raise StartRefused(
                f"命令 {command[0]} 失败（{status}），完整记录见 {self._log.name}。",
                f"The command {' '.join(command)} failed ({status}); the whole record is in {self._log.name}.",
                log="\n".join(self.lines),
            )


class Steps:
    """The steps of one start, in order, on one console."""

    def __init__(self, console: Console, log: Path) -> None:
        self.console = console
        self._log = log

    @contextmanager
    def step(self, chinese: str, english: str) -> Iterator[Step]:
        name = f"{chinese} {english}"
        started = time.monotonic()
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"\n== {english}\n")
            step = Step(log)
            shown = self._on_terminal(name, step) if self.console.is_terminal else self._in_lines(name, step)
            with shown:
                yield step
        self.console.print(f"[green]✓[/] {name} [dim]{time.monotonic() - started:.1f} s[/]", highlight=False)

    @contextmanager
    def _on_terminal(self, name: str, step: Step) -> Iterator[None]:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        over = threading.Event()
        with Progress(*columns, console=self.console, transient=True) as progress:
            task = progress.add_task(name, total=None)

            def follow() -> None:
                while not over.wait(0.2):
                    progress.update(task, description=f"{name} [dim]{escape(step.detail)}[/]")

            follower = threading.Thread(target=follow, daemon=True)
            follower.start()
            try:
                yield
            finally:
                over.set()
                follower.join()

    @contextmanager
    def _in_lines(self, name: str, step: Step) -> Iterator[None]:
        over = threading.Event()
        started = time.monotonic()

        def follow() -> None:
            while not over.wait(SAY_EVERY):
                detail = escape(step.detail)
                self.console.print(f"… {name} {time.monotonic() - started:.0f} s {detail}", highlight=False)

        follower = threading.Thread(target=follow, daemon=True)
        follower.start()
        try:
            yield
        finally:
            over.set()
            follower.join()
