"""A home for the engine in memory, for the tests: a journal, a table with a compare-and-swap, and a folder."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from backend.ledger.checkpoint import Checkpoint
from backend.ledger.errors import Stale
from backend.ledger.log import Log
from backend.ledger.note import ED25519, Signer
from backend.ledger.tiles import FolderTiles

SIGNER = Signer("example.com/testlog", ED25519, bytes(range(32)))


def entry(index: int) -> bytes:
    return b"entry-%d" % index


class MemoryJournal:
    """Entries by index; `count` of them wait."""

    def __init__(self, count: int, make: Callable[[int], bytes] = entry) -> None:
        self.count = count
        self.make = make

    def leaves(self, start: int, limit: int) -> list[bytes]:
        return [self.make(index) for index in range(start, min(self.count, start + limit))]


class MemoryCheckpoints:
    """The table. `before` and `after` are called around each commit and may raise, as a connection would."""

    def __init__(self) -> None:
        self.rows: list[Checkpoint] = []
        self.lock = threading.Lock()
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    def latest(self) -> Checkpoint | None:
        with self.lock:
            return self.rows[-1] if self.rows else None

    def advance(self, old: Checkpoint | None, new: Checkpoint) -> None:
        self.before()
        with self.lock:
            if (self.rows[-1] if self.rows else None) != old:
                raise Stale("somebody else was first")
            self.rows.append(new)
        self.after()


class Home:
    """A log with everything it stands on."""

    def __init__(self, folder: Path, count: int = 0) -> None:
        self.folder = folder
        self.journal = MemoryJournal(count)
        self.checkpoints = MemoryCheckpoints()
        self.tiles = FolderTiles(folder)
        self.log = Log(self.journal, self.checkpoints, self.tiles, SIGNER)

    def another_worker(self) -> Log:
        return Log(self.journal, self.checkpoints, FolderTiles(self.folder), SIGNER)

    def grow_to(self, size: int) -> Checkpoint:
        """Drain and publish in one batch up to this size, from an empty home if need be."""
        if self.checkpoints.latest() is None:
            self.log.init()
        self.journal.count = size
        while self.log.drain(100_000):
            pass
        return self.log.publish_latest()
