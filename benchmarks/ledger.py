"""How fast the ledger grows and proves, beside what is known: `python -m benchmarks.ledger [LEAVES]`.

Durable append in batches of 1,024 entries of 300 bytes, each batch with a signed checkpoint committed to SQLite at
synchronous=FULL, beside a loop that only hashes the same entries, and beside pymerkle's SQLite tree where that is
installed (a benchmark's dependency only). One run, one disk, one process; the ratios are what to read.
"""

from __future__ import annotations

import hashlib
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from backend.ledger.checkpoint import Checkpoint
from backend.ledger.errors import Stale
from backend.ledger.log import Log
from backend.ledger.merkle import verify_inclusion
from backend.ledger.note import generate_signer
from backend.ledger.proof import build_proof, inclusion_proof
from backend.ledger.tiles import FolderTiles

BATCH = 1024


def entry(index: int) -> bytes:
    return (b"entry-%d " % index).ljust(300, b".")


class Entries:
    """The journal: entries made beforehand, so that only the ledger is timed."""

    def __init__(self, entries: list[bytes]) -> None:
        self.entries = entries
        self.waiting = 0

    def leaves(self, start: int, limit: int) -> list[bytes]:
        return self.entries[start : min(self.waiting, start + limit)]


class SqliteCheckpoints:
    """The commit point in a real database, flushed at each commit."""

    def __init__(self, path: Path) -> None:
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.execute("PRAGMA journal_mode=WAL")
        self.database.execute("PRAGMA synchronous=FULL")
        self.database.execute("CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, origin, root, note, previous UNIQUE)")

    def latest(self) -> Checkpoint | None:
        query = "SELECT origin, size, root, note FROM checkpoint ORDER BY size DESC LIMIT 1"
        row = self.database.execute(query).fetchone()
        return Checkpoint(*row) if row else None

    def advance(self, old: Checkpoint | None, new: Checkpoint) -> None:
        row = (new.size, new.origin, new.root, new.note, old.size if old else -1)
        try:
            self.database.execute("INSERT INTO checkpoint VALUES (?, ?, ?, ?, ?)", row)
        except sqlite3.IntegrityError as error:
            raise Stale(str(error)) from error


def timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def hash_only(entries: list[bytes]) -> None:
    """The floor: each leaf, and each inner node once."""
    row = [hashlib.sha256(b"\x00" + entry).digest() for entry in entries]
    while len(row) > 1:
        row = [hashlib.sha256(b"\x01" + row[at] + row[at + 1]).digest() for at in range(0, len(row) - 1, 2)]


def pymerkle_append(path: Path, entries: list[bytes]) -> float | None:
    try:
        from pymerkle import SqliteTree
    except ImportError:
        return None
    with SqliteTree(str(path)) as tree:
        return timed(
            lambda: [tree.append_entries(entries[at : at + BATCH], BATCH) for at in range(0, len(entries), BATCH)]
        )


def main(count: int) -> None:
    entries = [entry(index) for index in range(count)]
    rows: list[tuple[str, float]] = []
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        root = Path(folder)
        journal = Entries(entries)
        tiles = FolderTiles(root / "log")
        log = Log(journal, SqliteCheckpoints(root / "checkpoints.db"), tiles, generate_signer("benchmark/log"))
        log.init()
        log.publish_latest()

        def drain() -> None:
            while log.drain(BATCH):
                pass

        rows.append(("hashing only, entries/s", count / timed(lambda: hash_only(entries))))
        journal.waiting = count
        rows.append((f"durable append in batches of {BATCH}, entries/s", count / timed(drain)))
        pymerkle = pymerkle_append(root / "pymerkle.db", entries)
        if pymerkle is not None:
            rows.append((f"pymerkle SqliteTree in batches of {BATCH}, entries/s", count / pymerkle))

        singles = 200
        entries.extend(entry(count + number) for number in range(singles))

        def one_by_one() -> None:
            for _ in range(singles):
                journal.waiting += 1
                log.drain(1)

        rows.append(("one durable append with its checkpoint, appends/s", singles / timed(one_by_one)))
        checkpoint = log.publish_latest()
        step = max(1, checkpoint.size // 200)
        indices = range(0, checkpoint.size, step)
        duration = timed(lambda: [build_proof(tiles, index, checkpoint) for index in indices])
        rows.append((f"receipts at {checkpoint.size:,} entries, 1/s", len(indices) / duration))
        path = inclusion_proof(tiles, 0, checkpoint.size)
        leaf = hashlib.sha256(b"\x00" + entries[0]).digest()
        assert verify_inclusion(leaf, 0, checkpoint.size, path, checkpoint.root)

    floor = rows[0][1]
    print(f"{'':58}{'per second':>12}{'of hashing':>12}")
    for name, value in rows:
        print(f"{name:58}{value:12,.0f}{value / floor:12.1%}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
