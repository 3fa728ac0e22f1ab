"""The Merkle tree of RFC 6962 section 2.1, as pure functions.

A tree of n leaves is a row of complete subtrees; `(level, i)` names the complete subtree over the leaves
[i * 2**level, (i + 1) * 2**level). Every root and every line of a proof is the hash of one range of leaves that starts
at a subtree border, so a proof is first a list of ranges, and then `range_hash` of each, through a function that finds
the hash of a complete subtree wherever it is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()
MAX_SIZE = 2**63 - 1

NodeHash = Callable[[int, int], bytes]
"""The hash of the complete subtree (level, i)."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one leaf: SHA-256(0x00 || entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def pair_up(row: bytes) -> bytes:
    """One level up: the parents of a row of hashes, joined. The row holds an even number of hashes."""
    return b"".join([sha256(b"\x01" + row[at : at + 64]).digest() for at in range(0, len(row), 64)])


def complete_root(row: bytes) -> bytes:
    """The root over a joined row of 2**k hashes."""
    while len(row) > HASH_SIZE:
        row = pair_up(row)
    return row


def fold_row(row: bytes, rest: bytes | None) -> bytes | None:
    """The root over a joined row of hashes of one level, followed on the right by a smaller tree with root `rest`.

    The row is cut, from the left, into complete subtrees of falling size; they are joined from the right. None stands
    for the empty tree.
    """
    peaks = []
    at = 0
    count = len(row) // HASH_SIZE
    while at < count:
        width = 1 << ((count - at).bit_length() - 1)
        peaks.append(complete_root(row[at * HASH_SIZE : (at + width) * HASH_SIZE]))
        at += width
    for peak in reversed(peaks):
        rest = peak if rest is None else node_hash(peak, rest)
    return rest


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """The root of the tree over these leaf hashes."""
    return fold_row(b"".join(leaf_hashes), None) or EMPTY_ROOT


def split(size: int) -> int:
    """Where a tree of `size` > 1 leaves divides: the largest power of two below size."""
    return 1 << ((size - 1).bit_length() - 1)


def range_hash(node: NodeHash, start: int, end: int) -> bytes:
    """MTH(D[start:end]) for a range that the tree's recursion produces: start is a multiple of a power of two that is
    at least end - start."""
    if start == end:
        return EMPTY_ROOT
    peaks = []
    while start < end:
        level = (end - start).bit_length() - 1
        peaks.append(node(level, start >> level))
        start += 1 << level
    digest = peaks.pop()
    while peaks:
        digest = node_hash(peaks.pop(), digest)
    return digest


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """The ranges whose hashes prove leaf `index` in a tree of `size`, the leaf's sibling first.

    Raises ValueError unless 0 <= index < size.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    ranges = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    ranges.reverse()
    return ranges


def consistency_ranges(old: int, new: int) -> list[tuple[int, int]]:
    """The ranges whose hashes prove that the tree of `old` leaves begins the tree of `new`.

    There are none when `old` is 0 and when the sizes are equal. Raises ValueError unless 0 <= old <= new.
    """
    if not 0 <= old <= new <= MAX_SIZE:
        raise ValueError(f"no consistency proof from {old} to {new}")
    if old in (0, new):
        return []
    ranges = []
    start, end = 0, new
    while old != end:
        middle = start + split(end - start)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    # Where the old tree is a left subtree of the new one, the verifier holds its root already.
    if start != 0:
        ranges.append((start, end))
    ranges.reverse()
    return ranges


def root_from_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that an inclusion path leads to, or None when the path has the wrong length or shape."""
    if not 0 <= index < size <= MAX_SIZE or not _are_hashes(leaf, *path):
        return None
    ranges = inclusion_ranges(index, size)
    if len(ranges) != len(path):
        return None
    digest = leaf
    for (start, _end), sibling in zip(ranges, path, strict=True):
        digest = node_hash(sibling, digest) if start < index else node_hash(digest, sibling)
    return digest


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path proves that the leaf hash stands at `index` of the tree with this size and root."""
    return root_from_inclusion(leaf, index, size, path) == root


def verify_consistency(old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether the path proves that the tree (old, old_root) is the beginning of the tree (new, new_root)."""
    if not 0 <= old <= new <= MAX_SIZE or not _are_hashes(old_root, new_root, *path):
        return False
    if old == 0:
        return not path and old_root == EMPTY_ROOT and (new > 0 or new_root == EMPTY_ROOT)
    if old == new:
        return not path and old_root == new_root
    ranges = consistency_ranges(old, new)
    hashes = list(path)
    if ranges[0][0] >= old:
        # The old tree is a left subtree of the new one: its root is the seed and is not in the proof.
        ranges.insert(0, (0, old))
        hashes.insert(0, old_root)
    if len(ranges) != len(hashes):
        return False
    old_digest = new_digest = hashes[0]
    for (start, _end), sibling in zip(ranges[1:], hashes[1:], strict=True):
        if start < old:
            old_digest = node_hash(sibling, old_digest)
            new_digest = node_hash(sibling, new_digest)
        else:
            new_digest = node_hash(new_digest, sibling)
    return old_digest == old_root and new_digest == new_root


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_SIZE for value in values)
