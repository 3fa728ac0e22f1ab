"""The phone pages: built once, and again only when what they are made of has changed."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.core.launch import node
from backend.core.launch.node import MINIPROGRAM
from backend.core.launch.refusal import StartRefused
from backend.core.launch.steps import Steps

DIST = MINIPROGRAM / "dist"
PAGE = DIST / "build" / "h5" / "index.html"
STAMP = DIST / "h5-inputs"
# What the pages are not made of: packages are named by the lock file, the rest is made by a build.
NOT_INPUTS = {"node_modules", "dist", "unpackage", "tests", "coverage"}


def inputs_digest(folder: Path = MINIPROGRAM) -> str:
    """SHA-256 over the names and bytes of everything the pages are made of."""
    digest = hashlib.sha256()
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in NOT_INPUTS and not name.startswith("."))
        for name in sorted(files):
            if name.startswith("."):
                continue
            path = Path(parent, name)
            digest.update(f"{path.relative_to(folder)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _holds(stamp: Path, value: str) -> bool:
    return stamp.exists() and stamp.read_text() == value


def is_built() -> bool:
    """Whether the built pages are those of the present sources."""
    return PAGE.exists() and _holds(STAMP, inputs_digest())


@contextmanager
def _alone() -> Iterator[None]:
    """Two builds at once would write into each other's folders: the second waits."""
    folder = os.open(MINIPROGRAM, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def install_packages(steps: Steps) -> dict[str, str]:
    """Install what the lock file names, unless that is installed already, and return the environment for `npm`."""
    lock = hashlib.sha256((MINIPROGRAM / "package-lock.json").read_bytes()).hexdigest()
    stamp = MINIPROGRAM / "node_modules" / ".installed-lock"
    with _alone():
        if _holds(stamp, lock) and (environ := node.ready_environment()):
            return environ
        with steps.step("准备 Node", "Preparing Node") as step:
            environ = node.environment(step)
        if not _holds(stamp, lock):
            with steps.step("安装手机页面的包", "Installing the phone pages' packages") as step:
                step.run(["npm", "ci"], cwd=MINIPROGRAM, environ=environ)
            stamp.write_text(lock)
    return environ


def build_pages(steps: Steps) -> None:
    """Build the phone pages, unless those of the present sources are there. Raises StartRefused when the build fails."""
    if is_built():
        return
    try:
        DIST.mkdir(exist_ok=True)
    except OSError as error:
        raise StartRefused(
            f"文件夹 {MINIPROGRAM} 不可写（{error.strerror}），无法构建手机页面。",
            f"The folder {MINIPROGRAM} cannot be written ({error.strerror}), so the phone pages cannot be built.",
        ) from None
    environ = install_packages(steps)
    with _alone():
        digest = inputs_digest()
        if PAGE.exists() and _holds(STAMP, digest):
            return
        STAMP.unlink(missing_ok=True)
        with steps.step("构建手机页面", "Building the phone pages") as step:
            step.run(["npm", "run", "build:h5"], cwd=MINIPROGRAM, environ=environ)
        STAMP.write_text(digest)
