"""How the log grows, and when it refuses to.

The engine is the same for every home. It knows the place where entries wait (Journal), the trusted table of committed
checkpoints (Checkpoints) and the untrusted files (Tiles) through three protocols. A checkpoint inserted into the table
is the commit; the published file only follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from backend.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from backend.ledger.edge import Edge, grow, read_edge
from backend.ledger.errors import (
    AlreadyInitialised,
    CheckpointInvalid,
    CheckpointWrong,
    JournalWrong,
    NoteInvalid,
    NotInitialised,
    OutcomeUnknown,
    PublishedForked,
    PublishedLarger,
    PublishedUnreadable,
    Rewritten,
    RightEdgeMissing,
    RightEdgeWrong,
    Stale,
    TileInvalid,
    TileMissing,
)
from backend.ledger.merkle import EMPTY_ROOT
from backend.ledger.note import Signer
from backend.ledger.tiles import ENTRY_LIMIT, TileTree, parse_path


class Journal(Protocol):
    """Where entries wait, each at its index for good."""

    def leaves(self, start: int, limit: int) -> list[bytes]:
        """The entries from index `start` on, without a gap, at most `limit`; empty when none wait.

        An entry handed out is durable already and never changes.
        """


class Checkpoints(Protocol):
    """The table of committed checkpoints: trusted, and it only grows."""

    def latest(self) -> Checkpoint | None:
        """The largest committed checkpoint, as it is now: not from a replica, not from an older snapshot."""

    def advance(self, old: Checkpoint | None, new: Checkpoint) -> None:
        """Commit `new` if `old` is still the latest; durable on return.

        Raises Stale when it is not. Any other exception means that nobody knows whether it happened.
        """


class Tiles(Protocol):
    """The files: untrusted, durable when a call returns."""

    def read(self, path: str) -> bytes:
        """The file's bytes. Raises TileMissing."""

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write all of them; each becomes visible whole or not at all."""

    def published(self) -> bytes | None:
        """The published checkpoint."""

    def publish(self, note: bytes) -> None:
        """Replace the published checkpoint; called only inside `publishing`."""

    def publishing(self) -> AbstractContextManager[None]:
        """The exclusive right to publish, among all processes."""

    def empty(self) -> bool:
        """Whether no tile was ever written."""


class Log:
    """One log: its origin is the name of its signer key."""

    def __init__(self, journal: Journal, checkpoints: Checkpoints, tiles: Tiles, signer: Signer) -> None:
        self._journal = journal
        self._checkpoints = checkpoints
        self._tiles = tiles
        self._signer = signer
        self._verifier = signer.verifier

    @property
    def origin(self) -> str:
        return self._signer.name

    def init(self) -> Checkpoint:
        """Commit the checkpoint of the empty tree, once in the life of a log.

        Raises AlreadyInitialised when a checkpoint, a tile or a published file exists: to begin again under the same
        key would be a fork.
        """
        if self._tiles.published() is not None or not self._tiles.empty() or self._checkpoints.latest() is not None:
            raise AlreadyInitialised(self.origin)
        zero = sign_checkpoint(0, EMPTY_ROOT, self._signer)
        self._commit(None, zero)
        return zero

    def check(self) -> Checkpoint:
        """The committed checkpoint, when table, tiles and published file fit together. Raises a Fatal error that names
        what does not; every `drain` makes the same check."""
        committed, _edge = self._sound()
        return committed

    def drain(self, limit: int = 4096) -> Checkpoint | None:
        """Integrate and commit up to `limit` waiting entries: the new checkpoint, or None when none waited.

        The checkpoint is not published by this; call `publish_latest` afterwards, also after None. Raises Fatal;
        Stale when another worker committed first; OutcomeUnknown; OSError from the disk. After any of the last three
        the next call carries on from whatever was committed.
        """
        committed, edge = self._sound()
        entries = self._journal.leaves(committed.size, limit)
        if not entries:
            return None
        if len(entries) > limit:
            raise JournalWrong(f"{len(entries)} entries where at most {limit} were asked for")
        for number, entry in enumerate(entries):
            if len(entry) > ENTRY_LIMIT:
                raise JournalWrong(f"entry {committed.size + number} has {len(entry)} bytes, more than {ENTRY_LIMIT}")

        # A crash up to here leaves nothing; up to the commit, files above the committed size that nobody refers to.
        grown, files = grow(edge, entries)
        self._refuse_rewriting(files)
        self._tiles.write(files)
        # The files are durable now. The signed bytes stay in this process until the table holds them.
        new = sign_checkpoint(grown.size, grown.root, self._signer)
        self._commit(committed, new)
        return new

    def publish_latest(self) -> Checkpoint:
        """Make the published file the largest committed checkpoint, and return that.

        The table is read again under the lock: a worker that was asleep never puts an older checkpoint over a newer
        one. Raises Fatal, and OSError.
        """
        with self._tiles.publishing():
            published = self._published()
            committed = self._committed()
            self._refuse_fork(published, committed)
            if published is None or published.note != committed.note:
                self._tiles.publish(committed.note)
            return committed

    def _sound(self) -> tuple[Checkpoint, Edge]:
        # First the file, then the table: another worker may commit and publish between the two reads, and only in
        # this order does that never look like a file that is ahead of its table.
        published = self._published()
        committed = self._committed()
        edge = self._edge_of(committed)
        self._refuse_fork(published, committed)
        return committed, edge

    def _published(self) -> Checkpoint | None:
        note = self._tiles.published()
        if note is None:
            return None
        try:
            return open_checkpoint(note, self._verifier)
        except (NoteInvalid, CheckpointInvalid) as error:
            raise PublishedUnreadable(f"the published checkpoint of {self.origin}: {error}") from error

    def _committed(self) -> Checkpoint:
        committed = self._checkpoints.latest()
        if committed is None:
            raise NotInitialised(f"no committed checkpoint for {self.origin}")
        try:
            opened = open_checkpoint(committed.note, self._verifier)
        except (NoteInvalid, CheckpointInvalid) as error:
            raise CheckpointWrong(f"the committed checkpoint of size {committed.size}: {error}") from error
        if opened != committed:
            raise CheckpointWrong(f"the row of size {committed.size} says something else than its signed note")
        return committed

    def _edge_of(self, committed: Checkpoint) -> Edge:
        try:
            edge, bundle_agrees = read_edge(self._tiles, committed.size)
        except TileMissing as error:
            raise RightEdgeMissing(f"{error.args[0]}, which the committed size {committed.size} needs") from error
        except TileInvalid as error:
            raise RightEdgeWrong(f"{error.args[0]}; the committed size is {committed.size}") from error
        if edge.root != committed.root:
            raise RightEdgeWrong(
                f"the tiles give {edge.root.hex()} at size {committed.size}, the table says {committed.root.hex()}"
            )
        if not bundle_agrees:
            raise RightEdgeWrong(f"the last entry bundle is not what the tiles of size {committed.size} hash")
        return edge

    def _refuse_fork(self, published: Checkpoint | None, committed: Checkpoint) -> None:
        if published is None:
            return
        if published.size > committed.size:
            raise PublishedLarger(f"published size {published.size}, committed size {committed.size}")
        try:
            root = committed.root
            if published.size < committed.size:
                root = TileTree(self._tiles, committed.size).root_at(published.size)
        except TileMissing as error:
            raise RightEdgeMissing(f"{error.args[0]}, which the published size {published.size} needs") from error
        except TileInvalid as error:
            raise RightEdgeWrong(f"{error.args[0]}; the published size is {published.size}") from error
        if root != published.root:
            raise PublishedForked(f"at size {published.size} published {published.root.hex()}, committed {root.hex()}")

    def _refuse_rewriting(self, files: Mapping[str, bytes]) -> None:
        """Wholly below the committed size, only the same bytes may be written again; above it a crash may have left
        anything."""
        for path, data in files.items():
            try:
                found = self._tiles.read(path)
            except TileMissing:
                continue
            if found != data and parse_path(path).end <= self._committed().size:
                raise Rewritten(path)

    def _commit(self, old: Checkpoint | None, new: Checkpoint) -> None:
        try:
            self._checkpoints.advance(old, new)
        except Stale:
            raise
        except Exception as error:
            # It may have happened all the same: the table alone knows.
            if self._checkpoints.latest() != new:
                raise OutcomeUnknown(f"committing size {new.size} of {new.origin}: {error}") from error
