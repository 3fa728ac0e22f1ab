from __future__ import annotations

import base64
import hashlib

import pytest

from backend.ledger import note, sign
from backend.ledger.checkpoint import open_checkpoint, parse_checkpoint, sign_checkpoint
from backend.ledger.errors import CheckpointInvalid, KeyInvalid, NoteInvalid
from backend.ledger.note import Signer, Verifier, open_note, parse_signer, parse_verifier, sign_note
from tests.ledger.homes import SIGNER

NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
QUOTE = b"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNED_QUOTE = (
    QUOTE.decode()
    + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()
WITNESS = "witness.example/w1+0ad7d35e+BIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
CHECKPOINT_7 = (
    "example.com/testlog\n7\nkTlgHMHKirKnoMLBNMBIRfKxulSag9bIRc/NpDnMWF0=\n\n"
    "— example.com/testlog qhWNhlOsB84+UDRlSf9OaxIaDp47s/ffIA/h7XEkj9wz8WmpCjyFDHY9rXo6HF1phB7mXDH42YPKRafmaHFYeWdtxgE=\n"
).encode()
COSIGNATURE_7 = (
    "— witness.example/w1 CtfTXgAAAABlU/EAbP1rsdze57LOj4tSU3g0DboVZndQMp66xBepJ8uwCvDvxKVaMwg7iF2EF9LYKIa/D3AFV1Krly6SB"
    "/oExjbKCw==\n"
).encode()


def test_the_published_example_verifies() -> None:
    key = parse_verifier("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    text = b"This is an example message.\n"
    signed = (
        text.decode()
        + "\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
    ).encode()
    assert open_note(signed, [key]).text == text


def test_signing_with_gos_key_gives_gos_bytes() -> None:
    signer = parse_signer(NEUMANN_SECRET)
    assert signer.vkey == NEUMANN
    assert signer.skey == NEUMANN_SECRET
    assert sign_note(QUOTE, signer) == SIGNED_QUOTE
    assert open_note(SIGNED_QUOTE, [parse_verifier(NEUMANN)]).text == QUOTE


def test_the_keys_of_the_vectors_are_derived_from_their_seeds() -> None:
    assert SIGNER.vkey == "example.com/testlog+aa158d86+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
    witness = Signer("witness.example/w1", note.COSIGNATURE, b"\x01" * 32)
    assert witness.vkey == WITNESS
    assert parse_verifier(WITNESS) == witness.verifier
    assert parse_signer(witness.skey) == witness


def test_the_checkpoint_of_the_vectors_is_signed_and_its_cosignature_verifies() -> None:
    checkpoint = open_checkpoint(CHECKPOINT_7, SIGNER.verifier)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/testlog", 7)
    assert sign_checkpoint(7, checkpoint.root, SIGNER).note == CHECKPOINT_7

    opened = open_note(CHECKPOINT_7 + COSIGNATURE_7, [SIGNER.verifier, parse_verifier(WITNESS)])
    assert [signature.name for signature in opened.verified] == ["example.com/testlog", "witness.example/w1"]
    assert note.cosignature_time(opened.verified[1].signature) == 1_700_000_000


def test_a_cosignature_does_not_verify_as_the_logs_signature_nor_with_another_time() -> None:
    line = COSIGNATURE_7.decode().removeprefix("— witness.example/w1 ").rstrip("\n")
    mangled = bytearray(base64.b64decode(line))
    mangled[11] ^= 1
    bad = f"— witness.example/w1 {base64.b64encode(mangled).decode()}\n".encode()
    with pytest.raises(NoteInvalid, match=r"witness\.example/w1 is bad"):
        open_note(CHECKPOINT_7 + bad, [SIGNER.verifier, parse_verifier(WITNESS)])
    with pytest.raises(NoteInvalid, match="no known key"):
        open_note(CHECKPOINT_7, [parse_verifier(WITNESS)])


def must_refuse_verifiers() -> list[str]:
    refused = [NEUMANN[start:end] for start in range(len(NEUMANN)) for end in range(start, len(NEUMANN))]
    refused += [NEUMANN[start:] for start in range(1, len(NEUMANN))]
    refused += [NEUMANN[:at] + chr(ord(NEUMANN[at]) + 1) + NEUMANN[at + 1 :] for at in range(len(NEUMANN))]
    return refused


def test_no_part_of_a_verifier_key_and_none_with_one_byte_changed_is_taken() -> None:
    for mangled in must_refuse_verifiers():
        with pytest.raises(KeyInvalid):
            parse_verifier(mangled)


def key_with_right_id(data: bytes) -> str:
    key_id = hashlib.sha256(b"PeterNeumann\n" + data).digest()[:4].hex()
    return f"PeterNeumann+{key_id}+{base64.b64encode(data).decode()}"


def test_a_key_of_another_length_or_type_is_refused_though_its_id_is_right() -> None:
    data = base64.b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    assert key_with_right_id(data) == NEUMANN
    unknown = key_with_right_id(b"\x65" + data[1:])
    assert unknown == "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    for mangled in (
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        key_with_right_id(data[:-1]),
        key_with_right_id(data + b"\x00"),
        unknown,
        key_with_right_id(b"\x06" + data[1:]),
    ):
        with pytest.raises(KeyInvalid):
            parse_verifier(mangled)
    with pytest.raises(KeyInvalid):
        parse_verifier(NEUMANN.replace("c74f20a3", "C74F20A3"))


def test_no_part_of_a_signer_key_and_none_with_one_byte_changed_is_taken() -> None:
    length = len(NEUMANN_SECRET)
    mangled = [NEUMANN_SECRET[:end] for end in range(length)] + [NEUMANN_SECRET[start:] for start in range(1, length)]
    mangled += [
        NEUMANN_SECRET[:at] + chr(ord(NEUMANN_SECRET[at]) + 1) + NEUMANN_SECRET[at + 1 :] for at in range(length)
    ]
    for text in mangled:
        with pytest.raises(KeyInvalid) as refusal:
            parse_signer(text)
        assert "AYEKFALVFGyNhPJEMzD1" not in str(refusal.value)


def test_a_signer_never_shows_its_seed() -> None:
    assert NEUMANN_SECRET[-20:] not in repr(parse_signer(NEUMANN_SECRET))
    assert repr(bytes(range(32))) not in repr(SIGNER)


def test_a_verifier_key_of_small_order_is_refused() -> None:
    for point in (b"\x00" * 32, b"\x01" + b"\x00" * 31, b"\xec" + b"\xff" * 30 + b"\x7f"):
        with pytest.raises(KeyInvalid, match="small order"):
            parse_verifier(Verifier("log", note.ED25519, point).vkey)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\u2003b", "a\nb", "a\x00b", "a\ud800"])
def test_a_name_that_no_key_may_bear_is_refused(name: str) -> None:
    with pytest.raises(KeyInvalid):
        note.generate_signer(name)


def test_a_new_key_signs_what_its_verifier_verifies() -> None:
    signer = note.generate_signer("demo.yirong.invalid/supply")
    assert parse_signer(signer.skey) == signer
    assert open_note(sign_note(b"text\n", signer), [parse_verifier(signer.vkey)]).text == b"text\n"
    assert note.generate_signer("demo.yirong.invalid/supply").seed != signer.seed


def test_every_changed_byte_of_a_signed_note_is_noticed() -> None:
    for at in range(len(SIGNED_QUOTE)):
        mangled = bytearray(SIGNED_QUOTE)
        mangled[at] ^= 1
        with pytest.raises(NoteInvalid):
            open_note(bytes(mangled), [parse_verifier(NEUMANN)])
    for end in range(len(SIGNED_QUOTE)):
        with pytest.raises(NoteInvalid):
            open_note(SIGNED_QUOTE[:end], [parse_verifier(NEUMANN)])


def test_unknown_lines_are_passed_over_but_a_known_bad_one_refuses_the_note() -> None:
    stranger = note.generate_signer("stranger")
    namesake = note.generate_signer("PeterNeumann")
    both = SIGNED_QUOTE + line_of(sign_note(QUOTE, stranger)) + line_of(sign_note(QUOTE, namesake))
    opened = open_note(both, [parse_verifier(NEUMANN)])
    assert [signature.name for signature in opened.verified] == ["PeterNeumann"]
    assert [signature.name for signature in opened.unverified] == ["stranger", "PeterNeumann"]

    over_other_text = line_of(sign_note(b"another text\n", stranger))
    assert open_note(SIGNED_QUOTE + over_other_text, [parse_verifier(NEUMANN)]).text == QUOTE
    with pytest.raises(NoteInvalid, match="stranger is bad"):
        open_note(SIGNED_QUOTE + over_other_text, [parse_verifier(NEUMANN), stranger.verifier])
    with pytest.raises(NoteInvalid, match="no known key"):
        open_note(SIGNED_QUOTE, [stranger.verifier])


def line_of(signed: bytes) -> bytes:
    return signed.rpartition(b"\n\n")[2]


def test_a_repeated_line_counts_once() -> None:
    assert len(open_note(SIGNED_QUOTE + line_of(SIGNED_QUOTE), [parse_verifier(NEUMANN)]).verified) == 1


def test_the_text_may_hold_empty_lines() -> None:
    text = b"one\n\ntwo\n\n\nthree\n"
    assert open_note(sign_note(text, SIGNER), [SIGNER.verifier]).text == text


@pytest.mark.parametrize("text", [b"no line feed", b"tab\t\n", b"carriage return\r\n", b"\xff\n", b"nul\x00\n", b""])
def test_a_text_that_no_note_can_hold_is_not_signed(text: bytes) -> None:
    with pytest.raises(NoteInvalid):
        sign_note(text, SIGNER)


@pytest.mark.parametrize(
    "lines",
    [
        b"",
        b"\n",
        b"- name AAAAAAA=\n",
        "— name\n".encode(),
        "— name \n".encode(),
        "—  AAAAAAA=\n".encode(),
        "— na+me AAAAAAA=\n".encode(),
        "— name AAAA\n".encode(),
        "— name AAAAAAA\n".encode(),
        "— name AAAAAAB=\n".encode(),
        "— name AAAAAAA=".encode(),
    ],
)
def test_malformed_signature_lines_are_refused(lines: bytes) -> None:
    with pytest.raises(NoteInvalid):
        open_note(SIGNED_QUOTE.rstrip(b"\n") + b"\n" + lines + b"!", [parse_verifier(NEUMANN)])
    with pytest.raises(NoteInvalid):
        note.parse_note(QUOTE + b"\n" + lines)


def test_a_hundred_signature_lines_are_read_and_one_more_is_not() -> None:
    stranger = line_of(sign_note(QUOTE, note.generate_signer("stranger")))
    assert open_note(SIGNED_QUOTE + stranger * 99, [parse_verifier(NEUMANN)]).text == QUOTE
    with pytest.raises(NoteInvalid, match="100"):
        open_note(SIGNED_QUOTE + stranger * 100, [parse_verifier(NEUMANN)])


@pytest.mark.parametrize(
    "text",
    [
        "example.com/testlog\n07\nkTlgHMHKirKnoMLBNMBIRfKxulSag9bIRc/NpDnMWF0=\n",
        "example.com/testlog\n-7\nkTlgHMHKirKnoMLBNMBIRfKxulSag9bIRc/NpDnMWF0=\n",
        "example.com/testlog\n٧\nkTlgHMHKirKnoMLBNMBIRfKxulSag9bIRc/NpDnMWF0=\n",
        "example.com/testlog\n\nkTlgHMHKirKnoMLBNMBIRfKxulSag9bIRc/NpDnMWF0=\n",
        "example.com/testlog\n9223372036854775808\nkTlgHMHKirKnoMLBNMBIRfKxulSag9bIRc/NpDnMWF0=\n",
        "example.com/testlog\n7\nkTlgHMHKirKnoMLBNMBIRfKxulSag9bIRc/NpDnMWF0\n",
        "example.com/testlog\n7\nkTlgHMHKirKnoMLBNMBIRfKxulSag9bIRc/NpDnMWA==\n",
        "example.com/testlog\n0\nkTlgHMHKirKnoMLBNMBIRfKxulSag9bIRc/NpDnMWF0=\n",
        "example.com/testlog\n7\n",
        "example.com/testlog\n7\nkTlgHMHKirKnoMLBNMBIRfKxulSag9bIRc/NpDnMWF0=\n\n",
        "example.com/other\n7\nkTlgHMHKirKnoMLBNMBIRfKxulSag9bIRc/NpDnMWF0=\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_of_this_log_is_refused(text: str) -> None:
    with pytest.raises(CheckpointInvalid):
        open_checkpoint(sign_note(text.encode(), SIGNER), SIGNER.verifier)


def test_extension_lines_are_read_over() -> None:
    text = "example.com/testlog\n7\nkTlgHMHKirKnoMLBNMBIRfKxulSag9bIRc/NpDnMWF0=\nextension\n"
    assert parse_checkpoint(sign_note(text.encode(), SIGNER)).size == 7


def test_a_signer_of_another_type_does_not_sign_checkpoints() -> None:
    witness = Signer("witness.example/w1", note.COSIGNATURE, b"\x01" * 32)
    with pytest.raises(KeyInvalid):
        sign_checkpoint(0, hashlib.sha256().digest(), witness)


def test_a_seed_of_another_length_is_refused() -> None:
    with pytest.raises(KeyInvalid):
        sign.public_key(b"\x01" * 31)
