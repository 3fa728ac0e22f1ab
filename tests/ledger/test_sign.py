"""Edge cases of Ed25519, which every verifier of a device's signature must decide in the same way."""

from __future__ import annotations

import hashlib

import pytest
from Crypto.PublicKey.ECC import EccKey
from Crypto.Signature import eddsa

from backend.ledger import sign
from backend.ledger.errors import KeyInvalid, NotCanonical

ORDER = 2**252 + 27742317777372353535851937790883648493
SEED = bytes(range(32))
PUBLIC = bytes.fromhex("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8")
MESSAGE = b"received 12 of 12"

SMALL_ORDER = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
]
NOT_CANONICAL = [
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
]


def test_the_first_vector_of_rfc_8032() -> None:
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    assert sign.public_key(seed).hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert sign.sign(seed, b"").hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe2465"
        "5141438e7a100b"
    )


def test_a_good_signature_verifies_and_every_flipped_bit_of_it_does_not() -> None:
    signature = sign.sign(SEED, MESSAGE)
    assert sign.public_key(SEED) == PUBLIC
    assert sign.verify(PUBLIC, MESSAGE, signature)
    assert not sign.verify(PUBLIC, MESSAGE + b" ", signature)
    for bit in range(512):
        mangled = bytearray(signature)
        mangled[bit // 8] ^= 1 << bit % 8
        assert not sign.verify(PUBLIC, MESSAGE, bytes(mangled))
    for length in (0, 1, 63, 65, 128):
        assert not sign.verify(PUBLIC, MESSAGE, (signature * 2)[:length])


@pytest.mark.parametrize("encoded", SMALL_ORDER)
def test_a_key_of_small_order_is_refused_and_verifies_nothing(encoded: str) -> None:
    key = bytes.fromhex(encoded)
    with pytest.raises(KeyInvalid):
        sign.check_public_key(key)
    # R = the same point and S = 0 satisfy the equation with the cofactor, whatever the message is.
    assert not sign.verify(key, MESSAGE, key + b"\x00" * 32)


def test_the_library_alone_takes_one_signature_for_every_message_under_a_small_order_key() -> None:
    """The reason for the check above: when this fails, the library has become strict itself."""
    key = eddsa.import_public_key(bytes.fromhex(SMALL_ORDER[4]))
    forged = bytes.fromhex(SMALL_ORDER[2]) + b"\x00" * 32
    for message in (b"accept 12", b"accept 1200"):
        eddsa.new(key, "rfc8032").verify(message, forged)
        assert not sign.verify(bytes.fromhex(SMALL_ORDER[4]), message, forged)


@pytest.mark.parametrize("encoded", NOT_CANONICAL)
def test_an_encoding_that_is_not_the_canonical_one_is_refused(encoded: str) -> None:
    with pytest.raises(KeyInvalid):
        sign.check_public_key(bytes.fromhex(encoded))
    assert not sign.verify(bytes.fromhex(encoded), MESSAGE, sign.sign(SEED, MESSAGE))


@pytest.mark.parametrize("raw", [b"", b"\x02" * 31, PUBLIC + b"\x00", b"\x02" + b"\x00" * 31])
def test_what_is_no_point_of_the_curve_is_refused(raw: bytes) -> None:
    with pytest.raises(KeyInvalid):
        sign.check_public_key(raw)


def torsion_point() -> EccKey:
    return eddsa.import_public_key(bytes.fromhex(SMALL_ORDER[4]))


def test_a_key_of_mixed_order_is_refused() -> None:
    mixed = EccKey(point=eddsa.import_public_key(PUBLIC).pointQ + torsion_point().pointQ)
    with pytest.raises(KeyInvalid, match="mixed order"):
        sign.check_public_key(mixed.export_key(format="raw"))


def test_a_signature_on_which_verifiers_with_and_without_cofactor_disagree_is_refused() -> None:
    scalar = int.from_bytes(hashlib.sha512(SEED).digest()[:32], "little")
    scalar = scalar & ~7 & (2**255 - 1) & ~(1 << 255) | (1 << 254)
    nonce = 123456789
    base = EccKey(point=eddsa.import_private_key(SEED)._curve.G).pointQ
    mixed = EccKey(point=base * nonce + torsion_point().pointQ).export_key(format="raw")
    k = int.from_bytes(hashlib.sha512(mixed + PUBLIC + MESSAGE).digest(), "little") % ORDER
    signature = mixed + ((nonce + k * scalar) % ORDER).to_bytes(32, "little")
    eddsa.new(eddsa.import_public_key(PUBLIC), "rfc8032").verify(MESSAGE, signature)
    assert not sign.verify(PUBLIC, MESSAGE, signature)


def test_a_second_spelling_of_a_good_signature_is_refused() -> None:
    signature = sign.sign(SEED, MESSAGE)
    s = int.from_bytes(signature[32:], "little") + ORDER
    assert not sign.verify(PUBLIC, MESSAGE, signature[:32] + s.to_bytes(32, "little"))


def test_what_a_person_signs_begins_with_its_own_prefix_and_is_canonical() -> None:
    assert sign.signed_bytes({"total": "12.50", "action": "receipt.sign", "lines": [1, None]}) == (
        b'yirong/sign/v1\n{"action":"receipt.sign","lines":[1,null],"total":"12.50"}'
    )
    with pytest.raises(NotCanonical):
        sign.signed_bytes({"total": 12.5})  # type: ignore[dict-item]
