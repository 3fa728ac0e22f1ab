"""Checkpoints: what a log signs about its tree (C2SP tlog-checkpoint v1.0.0).

The text of the note is three lines, `<origin> LF <size> LF <base64 root> LF`. The origin is the name of the log's key.
Extension lines are allowed by the format; they are read over here and never written.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from backend.ledger.errors import CheckpointInvalid
from backend.ledger.merkle import EMPTY_ROOT, HASH_SIZE, MAX_SIZE
from backend.ledger.note import Signer, Verifier, decode_base64, encode_base64, open_note, parse_note, sign_note


@dataclass(frozen=True)
class Checkpoint:
    """A tree of `size` leaves with its 32-byte root, and the whole signed note that says so, in UTF-8."""

    origin: str
    size: int
    root: bytes
    note: bytes


def sign_checkpoint(size: int, root: bytes, signer: Signer) -> Checkpoint:
    """The checkpoint of a tree, signed. The same tree and key always give the same bytes."""
    text = f"{signer.name}\n{size}\n{encode_base64(root)}\n".encode()
    return Checkpoint(signer.name, size, root, sign_note(text, signer))


@lru_cache(maxsize=64)  # a growing log opens the same two notes again and again; a signature is dear
def open_checkpoint(note: bytes, log: Verifier) -> Checkpoint:
    """Read a checkpoint that this log signed. Raises NoteInvalid, CheckpointInvalid."""
    checkpoint = _parse_text(open_note(note, [log]).text, note)
    if checkpoint.origin != log.name:
        raise CheckpointInvalid(f"its origin is {checkpoint.origin}, not {log.name}")
    return checkpoint


def parse_checkpoint(note: bytes) -> Checkpoint:
    """Read a checkpoint without verifying any signature. Raises NoteInvalid, CheckpointInvalid."""
    text, _signatures = parse_note(note)
    return _parse_text(text, note)


def parse_size(text: str) -> int:
    """A tree size: decimal ASCII digits without leading zeros, below 2**63. Raises ValueError."""
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or (text[0] == "0" and text != "0"):
        raise ValueError("not a decimal size")
    size = int(text)
    if size > MAX_SIZE:
        raise ValueError("larger than any tree")
    return size


def _parse_text(text: bytes, note: bytes) -> Checkpoint:
    lines = text.decode().split("\n")
    if len(lines) < 4 or "" in lines[:-1]:
        raise CheckpointInvalid("not the three lines origin, size and root")
    try:
        size = parse_size(lines[1])
        root = decode_base64(lines[2])
    except ValueError as error:
        raise CheckpointInvalid(f"bad size or root: {error}") from error
    if len(root) != HASH_SIZE:
        raise CheckpointInvalid("the root is not 32 bytes")
    if size == 0 and root != EMPTY_ROOT:
        raise CheckpointInvalid("an empty tree with a root that is not the empty tree's")
    return Checkpoint(lines[0], size, root, note)
