"""Verify a whole folder from its entry bundles, believing nothing in it but the log's key.

Every hash is computed again from the entries and compared with every file: full tiles, the partial tiles of the present
size, and those of earlier sizes that still lie beside them. Files above the published size may be what a crash left and
are not looked at. The first fault is named together with the file that bears it.
"""

from __future__ import annotations

from collections.abc import Sequence

from backend.ledger.checkpoint import Checkpoint, open_checkpoint
from backend.ledger.edge import EMPTY_EDGE, Edge, grow
from backend.ledger.errors import CheckpointInvalid, Fault, NoteInvalid, TileInvalid, TileMissing
from backend.ledger.merkle import HASH_SIZE, leaf_hash, verify_inclusion
from backend.ledger.note import Verifier
from backend.ledger.proof import inclusion_proof
from backend.ledger.tiles import (
    WIDTH,
    FolderTiles,
    TileTree,
    bundle_path,
    pack_entries,
    parse_path,
    read_bundle,
    read_tile,
    tile_path,
)


def verify(tiles: FolderTiles, log: Verifier) -> Checkpoint:
    """The published checkpoint, when everything below the folder supports it. Raises Fault with the first thing that
    does not."""
    checkpoint = _checkpoint(tiles, log)
    suspect: Fault | None = None
    edge = EMPTY_EDGE
    for n in range(-(-checkpoint.size // WIDTH)):
        entries = _entries(tiles, n, min(WIDTH, checkpoint.size - n * WIDTH))
        edge, files = grow(edge, entries)
        for path, data in files.items():
            place = parse_path(path)
            if place.level is None or place.width < WIDTH:
                continue
            difference = _compare(tiles, place.level, place.n, data)
            if difference and place.level == 0:
                _blame_bundle(tiles, n, entries, checkpoint)
            suspect = suspect or difference
    for path, data in _unfinished(edge).items():
        place = parse_path(path)
        difference = _compare(tiles, place.level or 0, place.n, data)
        if difference and place.level == 0:
            _blame_bundle(tiles, place.n, entries, checkpoint)
        suspect = suspect or difference
    if edge.root != checkpoint.root:
        detail = f"the entries give {edge.root.hex()} at size {checkpoint.size}, signed is {checkpoint.root.hex()}"
        raise Fault("root-wrong", f"{detail}; {suspect}" if suspect else detail)
    if suspect:
        raise suspect
    return checkpoint


def _checkpoint(tiles: FolderTiles, log: Verifier) -> Checkpoint:
    note = tiles.published()
    if note is None:
        raise Fault("checkpoint-missing", "the folder has no file `checkpoint`")
    try:
        return open_checkpoint(note, log)
    except (NoteInvalid, CheckpointInvalid) as error:
        raise Fault("checkpoint-wrong", str(error)) from error


def _entries(tiles: FolderTiles, n: int, width: int) -> list[bytes]:
    """The entries of bundle n, after the older partial bundles beside it were found to be its beginnings."""
    try:
        entries = read_bundle(tiles, n, width)
    except TileMissing as error:
        raise Fault("bundle-missing", str(error.args[0])) from error
    except TileInvalid as error:
        raise Fault("bundle-wrong", str(error.args[0])) from error
    for older in tiles.partial_widths(bundle_path(n)):
        if older < width and tiles.read(bundle_path(n, older)) != pack_entries(entries[:older]):
            raise Fault("bundle-wrong", f"{bundle_path(n, older)} is not the beginning of {bundle_path(n, width)}")
    return entries


def _unfinished(edge: Edge) -> dict[str, bytes]:
    """The tiles on the right edge that are not full, by path."""
    files = {}
    for level, row in enumerate(edge.rows):
        if row:
            files[tile_path(level, (edge.size >> 8 * level) // WIDTH, len(row) // HASH_SIZE)] = row
    return files


def _compare(tiles: FolderTiles, level: int, n: int, computed: bytes) -> Fault | None:
    """What is wrong with the tile whose hashes should be `computed`, or with an older partial tile beside it."""
    width = len(computed) // HASH_SIZE
    try:
        stored = read_tile(tiles, level, n, width)
    except TileMissing as error:
        return Fault("tile-missing", str(error.args[0]))
    except TileInvalid as error:
        return Fault("tile-wrong", str(error.args[0]))
    if stored != computed:
        return Fault("tile-wrong", f"{tile_path(level, n, width)} is not what the entries give")
    for older in tiles.partial_widths(tile_path(level, n)):
        if older < width and tiles.read(tile_path(level, n, older)) != computed[: older * HASH_SIZE]:
            return Fault("tile-wrong", f"{tile_path(level, n, older)} is not what the entries give")
    return None


def _blame_bundle(tiles: FolderTiles, n: int, entries: Sequence[bytes], checkpoint: Checkpoint) -> None:
    """A bundle and its tile disagree: raise Fault for the bundle when the tile leads to the signed root.

    The inclusion path of a tile's first leaf contains all the other hashes of the tile, so it vouches for each of them.
    """
    first = n * WIDTH
    try:
        tree = TileTree(tiles, checkpoint.size)
        stored = read_tile(tiles, 0, n, len(entries))
        path = inclusion_proof(tiles, first, checkpoint.size)
        genuine = verify_inclusion(tree.node(0, first), first, checkpoint.size, path, checkpoint.root)
    except (TileMissing, TileInvalid):
        return
    if not genuine:
        return
    for number, entry in enumerate(entries):
        if leaf_hash(entry) != stored[number * HASH_SIZE : (number + 1) * HASH_SIZE]:
            raise Fault("bundle-wrong", f"{bundle_path(n, len(entries))}, entry {number}, index {first + number}")
