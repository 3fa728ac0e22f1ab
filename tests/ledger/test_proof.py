from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.ledger import merkle
from backend.ledger.checkpoint import sign_checkpoint
from backend.ledger.errors import ProofInvalid, TileMissing
from backend.ledger.note import encode_base64, generate_signer, sign_note
from backend.ledger.proof import (
    Proof,
    build_proof,
    consistency_proof,
    inclusion_proof,
    parse_proof,
    render_proof,
    verify_proof,
)
from tests.ledger.homes import SIGNER, Home, entry

SIZES = (1, 2, 7, 255, 256, 257, 600)


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("grown") / "log")
    for size in SIZES:
        home.grow_to(size)
    return home


def root_at(size: int) -> bytes:
    return merkle.root_of([merkle.leaf_hash(entry(index)) for index in range(size)])


@pytest.mark.parametrize("size", SIZES)
def test_every_entry_of_every_published_size_has_a_receipt_that_verifies(grown: Home, size: int) -> None:
    checkpoint = sign_checkpoint(size, root_at(size), SIGNER)
    for index in range(0, size, max(1, size // 40)):
        receipt = build_proof(grown.tiles, index, checkpoint)
        proof = verify_proof(receipt, entry(index), SIGNER.verifier)
        assert (proof.index, proof.checkpoint) == (index, checkpoint)


@given(st.integers(0, 600), st.integers(0, 600))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_two_sizes_are_proved_consistent_from_the_tiles(grown: Home, first: int, second: int) -> None:
    old, new = sorted((first, second))
    proof = consistency_proof(grown.tiles, old, new, within=600)
    assert merkle.verify_consistency(old, new, proof, root_at(old), root_at(new))


def test_the_receipt_is_the_text_that_the_format_says(grown: Home) -> None:
    checkpoint = sign_checkpoint(7, root_at(7), SIGNER)
    assert build_proof(grown.tiles, 5, checkpoint).decode() == (
        "c2sp.org/tlog-proof@v1\nindex 5\n"
        "GUu1otW9EOXRqm/V1CmAs1bK8dpiPNmYfEv6L4F3Htc=\nDP2ldv9LKeozw6/a7tG9Y362VLKKBDAvyrX9fbB4Acw=\n"
        "JWueiCXl03CkrgBdCQHqKRl34pJ/XPjj5yZg3QlRnts=\n\n"
        "example.com/testlog\n7\nkTlgHMHKirKnoMLBNMBIRfKxulSag9bIRc/NpDnMWF0=\n\n"
        "— example.com/testlog qhWNhlOsB84+UDRlSf9OaxIaDp47s/ffIA/h7XEkj9wz8WmpCjyFDHY9rXo6HF1phB7mXDH42YPKRafmaHFYeWdt"
        "xgE=\n"
    )


def test_the_only_entry_has_an_empty_path(grown: Home) -> None:
    receipt = build_proof(grown.tiles, 0, sign_checkpoint(1, root_at(1), SIGNER))
    assert verify_proof(receipt, entry(0), SIGNER.verifier).path == ()


def test_every_changed_byte_of_a_receipt_is_noticed(grown: Home) -> None:
    receipt = build_proof(grown.tiles, 300, sign_checkpoint(600, root_at(600), SIGNER))
    for at in range(len(receipt)):
        mangled = bytearray(receipt)
        mangled[at] ^= 1
        with pytest.raises(ProofInvalid):
            verify_proof(bytes(mangled), entry(300), SIGNER.verifier)
    for end in range(len(receipt)):
        with pytest.raises(ProofInvalid):
            verify_proof(receipt[:end], entry(300), SIGNER.verifier)


def test_a_receipt_is_refused_for_another_entry_key_or_origin(grown: Home) -> None:
    receipt = build_proof(grown.tiles, 5, sign_checkpoint(7, root_at(7), SIGNER))
    with pytest.raises(ProofInvalid, match="from the entry"):
        verify_proof(receipt, entry(6), SIGNER.verifier)
    with pytest.raises(ProofInvalid, match="no known key"):
        verify_proof(receipt, entry(5), generate_signer("example.com/testlog").verifier)
    path = parse_proof(receipt).path
    other = parse_proof(receipt).checkpoint.note.partition(b"\n\n")[0].replace(b"/testlog", b"/another") + b"\n"
    signed = f"c2sp.org/tlog-proof@v1\nindex 5\n{lines(path)}\n".encode() + sign_note(other, SIGNER)
    with pytest.raises(ProofInvalid, match="origin"):
        verify_proof(signed, entry(5), SIGNER.verifier)


def lines(path: tuple[bytes, ...]) -> str:
    return "".join(f"{encode_base64(digest)}\n" for digest in path)


def test_an_extra_line_is_carried_and_vouches_for_nothing(grown: Home) -> None:
    proof = parse_proof(build_proof(grown.tiles, 5, sign_checkpoint(7, root_at(7), SIGNER)))
    receipt = render_proof(Proof(proof.index, proof.path, proof.checkpoint, b"event 5"))
    assert receipt.split(b"\n")[1] == b"extra ZXZlbnQgNQ=="
    assert verify_proof(receipt, entry(5), SIGNER.verifier).extra == b"event 5"


@pytest.mark.parametrize(
    "head",
    [
        "",
        "c2sp.org/tlog-proof@v2\nindex 0",
        "c2sp.org/tlog-proof@v1",
        "c2sp.org/tlog-proof@v1\nindex",
        "c2sp.org/tlog-proof@v1\nindex 00",
        "c2sp.org/tlog-proof@v1\nindex -1",
        "c2sp.org/tlog-proof@v1\nindex 1",
        "c2sp.org/tlog-proof@v1\nindex 0\nextra AAAA",
        "c2sp.org/tlog-proof@v1\nextra ?\nindex 0",
        "c2sp.org/tlog-proof@v1\nindex 0\nAAAA",
        "c2sp.org/tlog-proof@v1\nindex 0\n" + "\n".join([encode_base64(bytes(32))] * 64),
        "c2sp.org/tlog-proof@v1\nindex ٠",
    ],
)
def test_a_malformed_receipt_is_refused(head: str) -> None:
    note = sign_checkpoint(1, root_at(1), SIGNER).note
    assert verify_proof(b"c2sp.org/tlog-proof@v1\nindex 0\n\n" + note, entry(0), SIGNER.verifier)
    with pytest.raises(ProofInvalid):
        verify_proof(head.encode() + b"\n\n" + note, entry(0), SIGNER.verifier)


def test_a_receipt_that_would_not_verify_is_not_handed_out(home: Home) -> None:
    checkpoint = home.grow_to(300)
    file = home.folder / "tile/0/000"
    data = bytearray(file.read_bytes())
    data[40] ^= 1
    file.write_bytes(data)
    with pytest.raises(ProofInvalid, match="leaf 5"):
        build_proof(home.tiles, 5, checkpoint)


def test_a_proof_outside_the_tree_is_a_value_error(grown: Home) -> None:
    for index, size in ((7, 7), (-1, 7)):
        with pytest.raises(ValueError, match="no leaf"):
            inclusion_proof(grown.tiles, index, size)
    with pytest.raises(ValueError, match="no consistency"):
        consistency_proof(grown.tiles, 8, 7)
    with pytest.raises(TileMissing):
        inclusion_proof(grown.tiles, 5, 601)


def test_proofs_read_a_handful_of_tiles_only(grown: Home) -> None:
    class Counting:
        paths: list[str] = []

        def read(self, path: str) -> bytes:
            self.paths.append(path)
            return grown.tiles.read(path)

    inclusion_proof(Counting(), 300, 600)
    assert sorted(Counting.paths) == ["tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2"]
