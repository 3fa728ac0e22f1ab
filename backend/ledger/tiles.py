"""Tiles: the tree and its entries as files (C2SP tlog-tiles v0.1.0).

Hash i of tile n at tile level l is the root of the leaves [(n*256+i) * 256**l, (n*256+i+1) * 256**l). A hash enters
level l+1 only when its tile at level l is full. A tile that is not full lives under `.p/<width>`; a reader who does not
find one takes the full tile and cuts it. An entry bundle holds the entries of a tile of level 0, each behind its length
in two bytes, big endian.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from backend.ledger import durable
from backend.ledger.errors import TileInvalid, TileMissing
from backend.ledger.merkle import HASH_SIZE, complete_root, range_hash

WIDTH = 256
ENTRY_LIMIT = 65_535

# No tree of fewer than 2**63 leaves has a tile whose number fills more than seven groups.
_PATH = re.compile(r"tile/(entries|0|[1-9]\d?)/((?:x\d{3}/){0,6}\d{3})(?:\.p/([1-9]\d{0,2}))?", re.ASCII)


class Reader(Protocol):
    """Where tiles are read from; nothing that it returns is trusted."""

    def read(self, path: str) -> bytes:
        """The file's bytes. Raises TileMissing."""


@dataclass(frozen=True)
class Place:
    """What a path names. `level` is the tile level, or None for an entry bundle; `width` is 1 to 256."""

    level: int | None
    n: int
    width: int

    @property
    def end(self) -> int:
        """The number of leaves that a tree must have for this file to lie wholly inside it."""
        return (self.n * WIDTH + self.width) << 8 * (self.level or 0)


def tile_path(level: int, n: int, width: int = WIDTH) -> str:
    """The path of a hash tile: tile/0/x001/000.p/17"""
    return f"tile/{level}/{_number(n)}{_partial(width)}"


def bundle_path(n: int, width: int = WIDTH) -> str:
    """The path of an entry bundle: tile/entries/000"""
    return f"tile/entries/{_number(n)}{_partial(width)}"


def parse_path(path: str) -> Place:
    """What a path names, if it is spelt exactly as the format says. Raises TileMissing for any other text."""
    match = _PATH.fullmatch(path)
    if match is None:
        raise TileMissing("no tile has such a path")
    kind, number, partial = match.groups()
    n = int(number.replace("x", "").replace("/", ""))
    level = None if kind == "entries" else int(kind)
    width = int(partial) if partial else WIDTH
    if (level or 0) > 63 or number != _number(n) or (partial and width >= WIDTH):
        raise TileMissing("no tile has such a path")
    return Place(level, n, width)


def pack_entries(entries: Sequence[bytes]) -> bytes:
    """The bytes of an entry bundle. Raises TileInvalid for an entry of more than 65,535 bytes."""
    try:
        return b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])
    except OverflowError as error:
        raise TileInvalid(f"an entry has at most {ENTRY_LIMIT} bytes") from error


def unpack_entries(bundle: bytes) -> list[bytes]:
    """The entries of a bundle. Raises TileInvalid when its bytes end in the middle of one."""
    entries = []
    at = 0
    while at < len(bundle):
        start = at + 2
        at = start + int.from_bytes(bundle[at:start], "big")
        entries.append(bundle[start:at])
    if at != len(bundle):
        raise TileInvalid("the bundle ends inside an entry")
    return entries


def read_tile(tiles: Reader, level: int, n: int, width: int) -> bytes:
    """The first `width` hashes of a tile, joined: from the partial tile, or cut from the full one.

    Raises TileMissing when neither exists, TileInvalid when the file has another length than its name says.
    """
    data, found = _read_or_cut(tiles, tile_path(level, n, width), tile_path(level, n))
    if len(data) != (width if found else WIDTH) * HASH_SIZE:
        raise TileInvalid(f"{tile_path(level, n, width if found else WIDTH)} has {len(data)} bytes")
    return data[: width * HASH_SIZE]


def read_bundle(tiles: Reader, n: int, width: int) -> list[bytes]:
    """The first `width` entries of a bundle, from the partial one or cut from the full one. Raises TileMissing,
    TileInvalid."""
    data, found = _read_or_cut(tiles, bundle_path(n, width), bundle_path(n))
    name = bundle_path(n, width if found else WIDTH)
    try:
        entries = unpack_entries(data)
    except TileInvalid as error:
        raise TileInvalid(f"{name} ends inside an entry") from error
    if len(entries) != (width if found else WIDTH):
        raise TileInvalid(f"{name} has {len(entries)} entries")
    return entries[:width]


class TileTree:
    """The tree of one committed size, seen through its tiles, and every smaller tree in it. Each tile is read at most
    once."""

    def __init__(self, tiles: Reader, size: int) -> None:
        self._tiles = tiles
        self._size = size
        self._read: dict[tuple[int, int], bytes] = {}

    def node(self, level: int, index: int) -> bytes:
        """The hash of the complete subtree (level, index) inside the tree. Raises TileMissing, TileInvalid."""
        tile_level, height = divmod(level, 8)
        first = index << height
        n, at = divmod(first, WIDTH)
        tile = self._tile(tile_level, n)
        return complete_root(tile[at * HASH_SIZE : (at + (1 << height)) * HASH_SIZE])

    def root_at(self, size: int) -> bytes:
        """The root of the tree's first `size` leaves. Raises TileMissing, TileInvalid."""
        return range_hash(self.node, 0, size)

    def _tile(self, level: int, n: int) -> bytes:
        if (level, n) not in self._read:
            width = min(WIDTH, (self._size >> 8 * level) - n * WIDTH)
            self._read[level, n] = read_tile(self._tiles, level, n, width)
        return self._read[level, n]


class FolderTiles:
    """The tiles of one log in a folder, as plain files that any web server can serve."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, path: str) -> bytes:
        """The file that a path of the format names, and no other file. Raises TileMissing."""
        parse_path(path)
        try:
            return durable.read(self._root / path)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise TileMissing(path) from error

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write the files by path; all are durable on return. Raises OSError: then repeat the call."""
        durable.write_all(self._root, files)

    def published(self) -> bytes | None:
        """The published checkpoint, or None before the first."""
        try:
            return durable.read(self._root / "checkpoint")
        except FileNotFoundError:
            return None

    def publish(self, note: bytes) -> None:
        """Replace the published checkpoint; durable on return. Only inside `publishing`."""
        durable.write_all(self._root, {"checkpoint": note})

    @contextmanager
    def publishing(self) -> Iterator[None]:
        """Hold the right to publish, against every other process."""
        with durable.locked(self._root / ".publishing"):
            yield

    def empty(self) -> bool:
        """Whether no tile was ever written."""
        return not durable.names(self._root / "tile")

    def partial_widths(self, full_path: str) -> list[int]:
        """The widths of the partial files that stand beside a full tile or bundle, rising."""
        found = durable.names(self._root / f"{full_path}.p")
        return sorted(int(name) for name in found if name.isascii() and name.isdigit() and 0 < int(name) < WIDTH)


def _read_or_cut(tiles: Reader, path: str, full_path: str) -> tuple[bytes, bool]:
    try:
        return tiles.read(path), True
    except TileMissing:
        if path == full_path:
            raise
    try:
        return tiles.read(full_path), False
    except TileMissing as error:
        raise TileMissing(path) from error


def _number(n: int) -> str:
    digits = str(n)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])


def _partial(width: int) -> str:
    return "" if width == WIDTH else f".p/{width}"
