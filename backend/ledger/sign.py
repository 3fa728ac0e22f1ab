"""Ed25519 (RFC 8032), strict, and the bytes that a person signs.

A device signs `"yirong/sign/v1" LF || canonical JSON`, so that no other protocol's message can pass for it.

The library verifies with the cofactor and takes keys of small order, under which one signature fits every message;
other verifiers, such as the one in a browser, do not. Keys and the first half of a signature must therefore lie in the
prime-order subgroup and be encoded canonically: then both ways of verifying agree on every input.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from Crypto.PublicKey.ECC import EccKey
from Crypto.Signature import eddsa

from backend.ledger.canonical import Value, dumps
from backend.ledger.errors import KeyInvalid

SIGN_PREFIX = b"yirong/sign/v1\n"
KEY_SIZE = 32
SIGNATURE_SIZE = 64

_SUBGROUP_ORDER = 2**252 + 27742317777372353535851937790883648493


def signed_bytes(fields: Mapping[str, Value]) -> bytes:
    """The bytes that a person signs on the device. Raises NotCanonical."""
    return SIGN_PREFIX + dumps(dict(fields))


def check_public_key(raw: bytes) -> bytes:
    """The same 32 bytes, when they are a public key that may be registered.

    Raises KeyInvalid for another length, no point of the curve, an encoding that is not the canonical one, and for
    points of small or mixed order.
    """
    _public_key(bytes(raw))
    return bytes(raw)


def public_key(seed: bytes) -> bytes:
    """The public key, 32 bytes, of a 32-byte seed. Raises KeyInvalid for another length."""
    return bytes(_private_key(seed).public_key().export_key(format="raw"))


def sign(seed: bytes, message: bytes) -> bytes:
    """The 64-byte signature; the same seed and message always give the same. Raises KeyInvalid."""
    return bytes(eddsa.new(_private_key(seed), "rfc8032").sign(message))


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature is good. A key or signature that is malformed or out of the subgroup is simply not good."""
    try:
        key = _public_key(bytes(public_key))
        if len(signature) != SIGNATURE_SIZE:
            return False
        _strict_point(bytes(signature[:32]))
        eddsa.new(key, "rfc8032").verify(message, bytes(signature))
    except ValueError:
        return False
    return True


@lru_cache(maxsize=1024)
def _private_key(seed: bytes) -> EccKey:
    if len(seed) != KEY_SIZE:
        raise KeyInvalid(f"a seed has 32 bytes, not {len(seed)}")
    return eddsa.import_private_key(seed)


@lru_cache(maxsize=4096)
def _public_key(raw: bytes) -> EccKey:
    return _strict_point(raw)


def _strict_point(raw: bytes) -> EccKey:
    if len(raw) != KEY_SIZE:
        raise KeyInvalid(f"a public key has 32 bytes, not {len(raw)}")
    try:
        key = eddsa.import_public_key(raw)
    except ValueError as error:
        raise KeyInvalid("not a point of the curve") from error
    if key.export_key(format="raw") != raw:
        raise KeyInvalid("not the canonical encoding")
    if key.pointQ.copy().double().double().double().is_point_at_infinity():
        raise KeyInvalid("a point of small order")
    if not (key.pointQ * _SUBGROUP_ORDER).is_point_at_infinity():
        raise KeyInvalid("a point of mixed order")
    return key
