"""The processes of a start: each writes to its own log, dies with its parent, and is missed when it is gone.

Linux promises the last but one by PR_SET_PDEATHSIG: a parent that was killed outright cannot clean up, so the kernel
does. Elsewhere a killed parent can leave its children behind; an orderly stop still ends them.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from backend.core.launch.refusal import StartRefused

PR_SET_PDEATHSIG = 1
LOG_KEPT_BYTES = 5_000_000
LINES_OF_A_CRASH = 20

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with(parent: int) -> None:
    """Have the kernel kill this process as soon as its parent is gone, and end it now if that has happened already."""
    if _libc is None:
        return
    if _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        os._exit(1)


def dies_with_parent() -> Callable[[], None]:
    """A `preexec_fn` for children of this process. It must be used from the main thread, which lives as long as the process."""
    parent = os.getpid()
    return lambda: die_with(parent)


class Child:
    """One process of the product.

    name: in both languages, as a person sees it. ready: asked again and again until it answers true. patience: seconds
    that its work may take to end once asked to.
    """

    def __init__(
        self,
        name: tuple[str, str],
        command: list[str],
        log: Path,
        *,
        cwd: Path,
        ready: Callable[[], bool],
        environ: Mapping[str, str] | None = None,
        patience: float = 5,
    ) -> None:
        self.chinese, self.english = name
        self.command = command
        self.log = log
        self.ready = ready
        self.patience = patience
        if log.exists() and log.stat().st_size > LOG_KEPT_BYTES:
            log.replace(log.with_name(log.name + ".1"))
        with log.open("ab") as output:
            self._log_start = output.tell()
            self.process = subprocess.Popen(
                command,
                cwd=cwd,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A session of its own: Ctrl-C in the terminal reaches the parent alone, which stops the children in order.
                start_new_session=True,
                preexec_fn=dies_with_parent(),
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def raise_if_gone(self) -> None:
        """Raise StartRefused, naming this child and the last lines of its log, if it has ended by itself."""
        status = self.process.poll()
        if status is None:
            return
        how = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit {status}"
        raise StartRefused(
            f"“{self.chinese}”意外停止（{how}），其余进程已一并停止。完整日志：{self.log}",
            f"The {self.english} stopped unexpectedly ({how}), so everything was stopped. Its log: {self.log}",
            log=self.last_lines(),
        )

    def last_lines(self) -> str:
        """The last lines this run of the child wrote."""
        with self.log.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, size - 64_000))
            lines = log.read().decode("utf-8", "replace").splitlines()
        return "\n".join(lines[-LINES_OF_A_CRASH:])

    def stop(self, hurry: Callable[[], bool]) -> None:
        """Ask the child to end, wait while its work may still take, then end it and whatever it started."""
        if self.process.poll() is None:
            self.process.terminate()
            until = time.monotonic() + self.patience
            while self.process.poll() is None and time.monotonic() < until and not hurry():
                time.sleep(0.02)
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # It ended, and left nothing behind.
        self.process.wait()


class Children:
    """The running processes of one start, stopped in the reverse of the order in which they were started."""

    def __init__(self) -> None:
        self._running: list[Child] = []
        self._hurry = False

    def add(self, child: Child) -> Child:
        self._running.append(child)
        return child

    def raise_if_any_gone(self) -> None:
        for child in self._running:
            child.raise_if_gone()

    def wait_until_ready(self, *children: Child, within: float = 60) -> None:
        """Return when each of these children answers. Raises StartRefused when one ends, or does not answer in time."""
        until = time.monotonic() + within
        waiting = list(children)
        while waiting:
            self.raise_if_any_gone()
            waiting = [child for child in waiting if not child.ready()]
            if waiting and time.monotonic() > until:
                slow = waiting[0]
                raise StartRefused(
                    f"“{slow.chinese}”在 {within:.0f} 秒内没有就绪。完整日志：{slow.log}",
                    f"The {slow.english} was not ready within {within:.0f} seconds. Its log: {slow.log}",
                    log=slow.last_lines(),
                )
            if waiting:
                time.sleep(0.02)

    def watch(self) -> None:
        """Stay until a child ends by itself (raises StartRefused) or a signal interrupts (raises KeyboardInterrupt)."""
        while True:
            self.raise_if_any_gone()
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop everything, last started first. A second Ctrl-C does not wait for work to end."""

        def hurry(*_: object) -> None:
            self._hurry = True

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, hurry)
        while self._running:
            self._running.pop().stop(lambda: self._hurry)
