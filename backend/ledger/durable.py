"""The only file of the ledger that touches the disk.

When a function that writes has returned, what it wrote survives a power cut: each file is written under a temporary
name, flushed, renamed into place, and its folder is flushed. A reader therefore sees a whole file or none. A crash
leaves at most a temporary file, whose name begins with a dot and which nobody reads.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

# Folders whose entry in the folder above this process has flushed. A folder that merely exists is not enough: the
# process that made it may have been killed before it flushed.
_settled: set[str] = set()


def read(path: str | os.PathLike[str]) -> bytes:
    """The whole file. Raises FileNotFoundError, and OSError."""
    with open(path, "rb") as file:
        return file.read()


def write_all(root: Path, files: Mapping[str, bytes]) -> None:
    """Put all the files, named relative to `root`, in place; durable when it returns. Folders are made as needed.

    Raises OSError: then each file holds its old bytes or its new bytes, and the call is to be repeated whole.
    """
    base = os.fspath(root)
    staged: list[tuple[int, str, str]] = []
    folders: dict[str, None] = {}
    try:
        for name, data in files.items():
            target = os.path.join(base, name)
            folder = os.path.dirname(target)
            if folder not in folders:
                _settle(folder, base)
                folders[folder] = None
            temporary = os.path.join(folder, f".{secrets.token_hex(8)}")
            staged.append((os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), temporary, target))
            _write(staged[-1][0], data)
        # Flushing after all are written lets the file system carry many files in one commit of its own.
        for descriptor, _temporary, _target in staged:
            os.fsync(descriptor)
        for _descriptor, temporary, target in staged:
            os.replace(temporary, target)
        for folder in folders:
            _flush_folder(folder)
    except OSError:
        for _descriptor, temporary, _target in staged:
            with suppress(OSError):  # the first error is the one to tell; a leftover temporary file harms nobody
                os.unlink(temporary)
        raise
    finally:
        for descriptor, _temporary, _target in staged:
            os.close(descriptor)


def create_secret(path: Path, data: bytes) -> None:
    """A new file that only its owner can read (mode 0600), durable. Raises FileExistsError rather than replace one.

    A crash may leave it cut short.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        _write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    _flush_folder(os.path.dirname(os.path.abspath(path)))


def private_folder(path: Path) -> None:
    """Make a folder that only its owner can enter (mode 0700), durable. One that is there is left as it is."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    _flush_folder(os.path.dirname(os.path.abspath(path)))


def rename(old: Path, new: Path) -> None:
    """Give a file another name in the same folder, durably."""
    os.replace(old, new)
    _flush_folder(os.path.dirname(os.path.abspath(new)))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock that this file stands for, against every other process and thread. It falls with its holder."""
    os.makedirs(path.parent, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def names(folder: Path) -> list[str]:
    """The names in a folder, sorted, without temporary files; none when there is no such folder."""
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except FileNotFoundError:
        return []


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _settle(folder: str, base: str) -> None:
    """Make the folder and those above it, down from `base`, and flush the entry of each once in this process."""
    if folder in _settled and os.path.isdir(folder):
        return
    parent = os.path.dirname(folder)
    if folder == base:
        os.makedirs(parent, exist_ok=True)
    else:
        _settle(parent, base)
    with suppress(FileExistsError):
        os.mkdir(folder)
    _flush_folder(parent)
    _settled.add(folder)


def _flush_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
