"""Proofs from tiles, and the receipt that carries one (C2SP tlog-proof, draft of 2026-05-22).

A receipt, `X.tlog-proof`, is a text of its own: with the entry and the log's verifier key it is checked offline.

    c2sp.org/tlog-proof@v1 LF
    extra <base64> LF               optional; nobody vouches for it
    index <n> LF
    <base64 hash> LF ...            inclusion path, the leaf's sibling first
    LF
    <checkpoint>
"""

from __future__ import annotations

from dataclasses import dataclass

from backend.ledger.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint, parse_size
from backend.ledger.errors import CheckpointInvalid, NoteInvalid, ProofInvalid
from backend.ledger.merkle import (
    HASH_SIZE,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    range_hash,
    verify_inclusion,
)
from backend.ledger.note import Verifier, decode_base64, encode_base64
from backend.ledger.tiles import Reader, TileTree

HEADER = "c2sp.org/tlog-proof@v1"
PATH_LIMIT = 63


@dataclass(frozen=True)
class Proof:
    """A receipt taken apart; `checkpoint.note` holds the signed bytes."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: Checkpoint
    extra: bytes | None = None


def inclusion_proof(tiles: Reader, index: int, size: int, *, within: int | None = None) -> list[bytes]:
    """The path from leaf `index` to the root of the tree of `size`, the leaf's sibling first.

    Tiles exist for committed sizes: where `size` may be another one, `within` names a committed size above it. Raises
    ValueError unless 0 <= index < size, TileMissing, TileInvalid. The tiles are taken at their word.
    """
    tree = TileTree(tiles, size if within is None else within)
    return [range_hash(tree.node, start, end) for start, end in inclusion_ranges(index, size)]


def consistency_proof(tiles: Reader, old: int, new: int, *, within: int | None = None) -> list[bytes]:
    """The proof that the tree of `old` leaves begins the tree of `new`.

    Where `new` may be a size that was never committed, `within` names a committed size above it. Raises ValueError
    unless 0 <= old <= new, TileMissing, TileInvalid. The tiles are taken at their word.
    """
    tree = TileTree(tiles, new if within is None else within)
    return [range_hash(tree.node, start, end) for start, end in consistency_ranges(old, new)]


def build_proof(tiles: Reader, index: int, checkpoint: Checkpoint) -> bytes:
    """The receipt of the entry at `index` under this checkpoint.

    Nothing is handed out that would not verify: raises ProofInvalid when the tiles do not lead to the checkpoint's
    root. Raises ValueError unless 0 <= index < size, TileMissing, TileInvalid.
    """
    path = inclusion_proof(tiles, index, checkpoint.size)
    leaf = TileTree(tiles, checkpoint.size).node(0, index)
    if not verify_inclusion(leaf, index, checkpoint.size, path, checkpoint.root):
        raise ProofInvalid(f"the tiles do not lead from leaf {index} to the root of size {checkpoint.size}")
    return render_proof(Proof(index, tuple(path), checkpoint))


def render_proof(proof: Proof) -> bytes:
    """The receipt's bytes."""
    lines = [HEADER]
    if proof.extra is not None:
        lines.append(f"extra {encode_base64(proof.extra)}")
    lines.append(f"index {proof.index}")
    lines.extend(encode_base64(digest) for digest in proof.path)
    return "\n".join(lines).encode() + b"\n\n" + proof.checkpoint.note


def parse_proof(data: bytes) -> Proof:
    """Take a receipt apart; nothing is verified. Raises ProofInvalid, NoteInvalid, CheckpointInvalid."""
    head, empty_line, note = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise ProofInvalid("its head is not ASCII") from error
    if not empty_line or lines.pop(0) != HEADER:
        raise ProofInvalid(f"it does not begin with {HEADER}")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = _decode(lines.pop(0).removeprefix("extra "), "extra")
    if not lines or not lines[0].startswith("index "):
        raise ProofInvalid("the index is missing")
    try:
        index = parse_size(lines.pop(0).removeprefix("index "))
    except ValueError as error:
        raise ProofInvalid(f"the index is {error}") from error
    if len(lines) > PATH_LIMIT:
        raise ProofInvalid("the path is longer than that of any tree")
    path = tuple(_decode(line, "the path") for line in lines)
    if any(len(digest) != HASH_SIZE for digest in path):
        raise ProofInvalid("a line of the path is not 32 bytes")
    return Proof(index, path, parse_checkpoint(note), extra)


def verify_proof(proof: bytes, entry: bytes, log: Verifier) -> Proof:
    """Verify a receipt offline: the log signed a tree that holds the entry at the index.

    Raises ProofInvalid with the first thing that is wrong.
    """
    try:
        parsed = parse_proof(proof)
        checkpoint = open_checkpoint(parsed.checkpoint.note, log)
    except (NoteInvalid, CheckpointInvalid) as error:
        raise ProofInvalid(f"its checkpoint: {error}") from error
    if parsed.index >= checkpoint.size:
        raise ProofInvalid(f"index {parsed.index} lies outside the tree of {checkpoint.size}")
    if not verify_inclusion(leaf_hash(entry), parsed.index, checkpoint.size, parsed.path, checkpoint.root):
        raise ProofInvalid("the path does not lead from the entry to the signed root")
    return parsed


def _decode(text: str, what: str) -> bytes:
    try:
        return decode_base64(text)
    except ValueError as error:
        raise ProofInvalid(f"{what} is {error}") from error
