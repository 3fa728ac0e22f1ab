from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.ledger import merkle
from backend.ledger.merkle import leaf_hash, node_hash
from tests.ledger.homes import entry

LEAVES = [leaf_hash(entry(index)) for index in range(1030)]

ROOTS = {
    0: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    1: "QHZrIDNCkCb1PVRQJnmoOXBrR0H43K86i7pfQbX/4HU=",
    2: "LyelCCwdQq+kiKw1Cp/EOQwIT1T3Hs3/hZ6Y24QptHk=",
    3: "pkvybgkSj2/i/m+LLYyAHhZrV8BHp82bK4Ceepai8cs=",
    4: "JWueiCXl03CkrgBdCQHqKRl34pJ/XPjj5yZg3QlRnts=",
    5: "GqaNMHSQWlgfhMu9D3U3lJBP2ARRvEwT5p2aU7xZUCw=",
    7: "kTlgHMHKirKnoMLBNMBIRfKxulSag9bIRc/NpDnMWF0=",
    8: "38wTubDKkyxo3j1Z6qqP4mapyAkcAwDoQF6/6w0OWDI=",
    255: "RdqfN0dI4Xo3L3HABCKxLiv5aELx9hxXQP5JTkvs/w8=",
    256: "+F9OrTQIBxC00egIMBVDqquBqgTeuIWZNQ3Cak8vWN4=",
    257: "kYsc7GTzF8duPPVcBTaEHAOe/wZ3LruIKM58F2Aotaw=",
    1000: "0D1jt3KvmQGYF+4+AYKG02omFhvbW/6CKOksAqvpEV0=",
    65536: "3yxgbRFEFvpgC/NJUVLgnjnovj0OLlUBw1KCZTmr2o4=",
    70000: "pipUvjMpT/1aXExjf9dUYwtxqJLoNW46Zmpcin/9FRg=",
}

# Written a second time straight from the text of RFC 6962, so that the iterative forms are compared with something.


def mth(leaves: list[bytes]) -> bytes:
    if not leaves:
        return merkle.EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(mth(leaves[:k]), mth(leaves[k:]))


def path_of(m: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*path_of(m, leaves[:k]), mth(leaves[k:])]
    return [*path_of(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], known: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if known else [mth(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*subproof(m, leaves[:k], known), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def test_the_leaf_hash_of_the_first_vector() -> None:
    assert leaf_hash(b"entry-0").hex() == "40766b2033429026f53d54502679a839706b4741f8dcaf3a8bba5f41b5ffe075"


@pytest.mark.parametrize(("size", "root"), ROOTS.items())
def test_roots_of_the_vectors(size: int, root: str) -> None:
    assert merkle.root_of([leaf_hash(entry(index)) for index in range(size)]) == base64.b64decode(root)


def test_inclusion_of_5_in_7_is_the_vector() -> None:
    path = [merkle.range_hash(node_of(7), start, end) for start, end in merkle.inclusion_ranges(5, 7)]
    assert [base64.b64encode(digest).decode() for digest in path] == [
        "GUu1otW9EOXRqm/V1CmAs1bK8dpiPNmYfEv6L4F3Htc=",
        "DP2ldv9LKeozw6/a7tG9Y362VLKKBDAvyrX9fbB4Acw=",
        "JWueiCXl03CkrgBdCQHqKRl34pJ/XPjj5yZg3QlRnts=",
    ]


@pytest.mark.parametrize(
    ("old", "new", "proof"),
    [
        (4, 7, ["5CnFtcyqlSPDcpfxhGdm+QMTfoIZXFGZ5r5XEw0QBsg="]),
        (
            3,
            7,
            [
                "BJ19zbVrz+vTEzBMmDnxlqPUtu873AsIKY+TrIGR8Kg=",
                "J0ebarMh0u5HdFL2i6UndI6GPK/o+9HfK/idFXDRtpc=",
                "LyelCCwdQq+kiKw1Cp/EOQwIT1T3Hs3/hZ6Y24QptHk=",
                "5CnFtcyqlSPDcpfxhGdm+QMTfoIZXFGZ5r5XEw0QBsg=",
            ],
        ),
    ],
)
def test_consistency_proofs_are_the_vectors(old: int, new: int, proof: list[str]) -> None:
    hashes = [merkle.range_hash(node_of(new), start, end) for start, end in merkle.consistency_ranges(old, new)]
    assert [base64.b64encode(digest).decode() for digest in hashes] == proof


def node_of(size: int) -> merkle.NodeHash:
    def node(level: int, index: int) -> bytes:
        end = (index + 1) << level
        assert end <= size, "a proof asked for a subtree that is not complete"
        return merkle.complete_root(b"".join(LEAVES[index << level : end]))

    return node


def inclusion(index: int, size: int) -> list[bytes]:
    return [merkle.range_hash(node_of(size), start, end) for start, end in merkle.inclusion_ranges(index, size)]


def consistency(old: int, new: int) -> list[bytes]:
    return [merkle.range_hash(node_of(new), start, end) for start, end in merkle.consistency_ranges(old, new)]


def test_every_small_proof_is_the_one_that_the_rfc_defines() -> None:
    for size in range(1, 34):
        leaves = LEAVES[:size]
        assert merkle.root_of(leaves) == mth(leaves)
        for index in range(size):
            assert inclusion(index, size) == path_of(index, leaves)
        for old in range(1, size):
            assert consistency(old, size) == subproof(old, leaves, True)


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_every_proof_verifies_and_no_mangled_one_does(data: st.DataObject) -> None:
    size = data.draw(st.one_of(st.integers(1, 600), st.sampled_from([255, 256, 257, 511, 512, 513, 1025])))
    index = data.draw(st.integers(0, size - 1))
    root = merkle.root_of(LEAVES[:size])
    path = inclusion(index, size)
    leaf = LEAVES[index]
    assert merkle.verify_inclusion(leaf, index, size, path, root)

    assert not merkle.verify_inclusion(leaf_hash(b"another"), index, size, path, root)
    assert not merkle.verify_inclusion(leaf, index, size, path, leaf_hash(b"another"))
    assert not merkle.verify_inclusion(leaf, index, size, [*path, leaf], root)
    other = data.draw(st.integers(0, size).filter(lambda number: number != index))
    assert not merkle.verify_inclusion(leaf, other, size, path, root)
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        assert not merkle.verify_inclusion(leaf, index, size, path[:at] + path[at + 1 :], root)
        bit = data.draw(st.integers(0, 255))
        assert not merkle.verify_inclusion(leaf, index, size, flip(path, at, bit), root)
        assert not merkle.verify_inclusion(leaf, index, size, [*path[:at], path[at][:-1], *path[at + 1 :]], root)


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_every_consistency_proof_verifies_and_no_mangled_one_does(data: st.DataObject) -> None:
    new = data.draw(st.one_of(st.integers(2, 600), st.sampled_from([256, 257, 512, 513, 1025])))
    old = data.draw(st.integers(1, new - 1))
    old_root, new_root = merkle.root_of(LEAVES[:old]), merkle.root_of(LEAVES[:new])
    proof = consistency(old, new)
    assert merkle.verify_consistency(old, new, proof, old_root, new_root)

    assert not merkle.verify_consistency(old, new, proof, new_root, new_root)
    assert not merkle.verify_consistency(old, new, proof, old_root, old_root)
    assert not merkle.verify_consistency(old, new, [*proof, old_root], old_root, new_root)
    assert not merkle.verify_consistency(new, old, proof, new_root, old_root)
    at = data.draw(st.integers(0, len(proof) - 1))
    assert not merkle.verify_consistency(old, new, proof[:at] + proof[at + 1 :], old_root, new_root)
    assert not merkle.verify_consistency(old, new, flip(proof, at, data.draw(st.integers(0, 255))), old_root, new_root)


def flip(hashes: list[bytes], at: int, bit: int) -> list[bytes]:
    mangled = bytearray(hashes[at])
    mangled[bit // 8] ^= 1 << bit % 8
    return [*hashes[:at], bytes(mangled), *hashes[at + 1 :]]


def test_consistency_with_the_empty_tree_and_with_itself_needs_no_hashes() -> None:
    root = merkle.root_of(LEAVES[:5])
    assert merkle.verify_consistency(0, 5, [], merkle.EMPTY_ROOT, root)
    assert merkle.verify_consistency(5, 5, [], root, root)
    assert merkle.verify_consistency(0, 0, [], merkle.EMPTY_ROOT, merkle.EMPTY_ROOT)
    assert not merkle.verify_consistency(0, 5, [], root, root)
    assert not merkle.verify_consistency(0, 5, [root], merkle.EMPTY_ROOT, root)
    assert not merkle.verify_consistency(0, 0, [], merkle.EMPTY_ROOT, root)
    assert not merkle.verify_consistency(5, 5, [], root, merkle.EMPTY_ROOT)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0), (0, 2**63)])
def test_a_leaf_outside_the_tree_has_no_path(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        merkle.inclusion_ranges(index, size)
    assert not merkle.verify_inclusion(LEAVES[0], index, size, [], LEAVES[0])


def test_a_proof_of_an_enormous_tree_is_at_most_63_hashes() -> None:
    assert len(merkle.inclusion_ranges(2**62 + 5, 2**63 - 1)) <= 63
