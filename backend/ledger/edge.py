"""The right edge: all that is needed of a tree to make it grow.

The edge of a tree of n leaves is, on each tile level, the tile that is not full yet, and the entry bundle that is not
full yet. Growing is a pure function from an edge and new entries to a new edge and the files that changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from backend.ledger.merkle import EMPTY_ROOT, HASH_SIZE, fold_row, leaf_hash, pair_up
from backend.ledger.tiles import WIDTH, Reader, bundle_path, pack_entries, read_bundle, read_tile, tile_path

_FULL = WIDTH * HASH_SIZE


@dataclass(frozen=True)
class Edge:
    """`rows[l]` holds the joined hashes of the unfinished tile of level l, empty where the last one is full;
    `bundle` the bytes of the unfinished entry bundle."""

    size: int
    rows: tuple[bytes, ...]
    bundle: bytes

    @property
    def root(self) -> bytes:
        """The root of the whole tree."""
        digest: bytes | None = None
        for row in self.rows:
            digest = fold_row(row, digest)
        return digest or EMPTY_ROOT


EMPTY_EDGE = Edge(0, (), b"")


def read_edge(tiles: Reader, size: int) -> tuple[Edge, bool]:
    """The edge of the tree of `size`, and whether the entries in its bundle are those that its hashes stand for.

    Reads at most one file a level and one bundle. Raises TileMissing, TileInvalid.
    """
    rows = []
    level = 0
    while size >> 8 * level:
        n, width = divmod(size >> 8 * level, WIDTH)
        rows.append(read_tile(tiles, level, n, width) if width else b"")
        level += 1
    n, width = divmod(size, WIDTH)
    if not width:
        return Edge(size, tuple(rows), b""), True
    entries = read_bundle(tiles, n, width)
    agree = b"".join([leaf_hash(entry) for entry in entries]) == rows[0]
    return Edge(size, tuple(rows), pack_entries(entries)), agree


def grow(edge: Edge, entries: Sequence[bytes]) -> tuple[Edge, dict[str, bytes]]:
    """Append entries: the new edge, and every file that the new size needs, by path, bundles first.

    Partial files are made for the new size alone, not for the sizes between. Raises TileInvalid for an entry that is
    too long.
    """
    files: dict[str, bytes] = {}
    n, filled = divmod(edge.size, WIDTH)
    bundle = edge.bundle
    at = 0
    while at < len(entries):
        taken = entries[at : at + WIDTH - filled]
        bundle += pack_entries(taken)
        filled += len(taken)
        at += len(taken)
        files[bundle_path(n, filled)] = bundle
        if filled == WIDTH:
            n, filled, bundle = n + 1, 0, b""

    rows = list(edge.rows)
    level = 0
    fresh = b"".join([sha256(b"\x00" + entry).digest() for entry in entries])
    while fresh:
        if level == len(rows):
            rows.append(b"")
        row = rows[level] + fresh
        n = (edge.size >> 8 * level) // WIDTH
        whole = len(row) - len(row) % _FULL
        for start in range(0, whole, _FULL):
            files[tile_path(level, n)] = row[start : start + _FULL]
            n += 1
        rows[level] = row[whole:]
        if rows[level]:
            files[tile_path(level, n, len(rows[level]) // HASH_SIZE)] = rows[level]
        fresh = row[:whole]
        for _halving in range(8):
            fresh = pair_up(fresh)
        level += 1
    return Edge(edge.size + len(entries), tuple(rows), bundle), files
