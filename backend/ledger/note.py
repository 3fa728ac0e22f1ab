"""Signed notes and their keys (C2SP signed-note v1.0.0; Go's golang.org/x/mod/sumdb/note reads the same).

A note is a text that ends in LF, an empty line, and signature lines `— <key name> <base64(key id || signature)>`. What
is signed is the text with its last LF. The text may hold empty lines itself: the last one divides.

A line whose key name and key id are both known must verify, or the whole note is refused; lines of other keys are
passed over, so that a log may gather signatures that an older reader does not know.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from backend.ledger import sign
from backend.ledger.errors import KeyInvalid, NoteInvalid

ED25519 = 0x01
COSIGNATURE = 0x04
TEXT_LIMIT = 1_000_000
LINE_LIMIT = 100

_DASH = "— "
_SKEY_PREFIX = "PRIVATE+KEY+"


@dataclass(frozen=True)
class Verifier:
    """A verifier key. `kind` is the type byte: 0x01 signs the text, 0x04 cosigns a checkpoint with a time."""

    name: str
    kind: int
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name LF type public-key)."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public_key).digest()[:4]

    @property
    def vkey(self) -> str:
        """`<name>+<key id in hex>+<base64(type || public key)>`"""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(bytes([self.kind]) + self.public_key)}"

    def verify(self, text: bytes, signature: bytes) -> bool:
        """Whether `signature`, without its key id, is this key's over the text."""
        if self.kind == ED25519:
            return sign.verify(self.public_key, text, signature)
        time = cosignature_time(signature)
        return time is not None and sign.verify(self.public_key, cosigned_bytes(time, text), signature[8:])


@dataclass(frozen=True)
class Signer:
    """A signer key. Its printed form never shows the seed."""

    name: str
    kind: int
    seed: bytes = field(repr=False)

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.name, self.kind, sign.public_key(self.seed))

    @property
    def vkey(self) -> str:
        return self.verifier.vkey

    @property
    def skey(self) -> str:
        """`PRIVATE+KEY+<name>+<key id in hex>+<base64(type || seed)>`: a secret."""
        secret = encode_base64(bytes([self.kind]) + self.seed)
        return f"{_SKEY_PREFIX}{self.name}+{self.verifier.key_id.hex()}+{secret}"


@dataclass(frozen=True)
class Signature:
    """One signature line: whose it says it is, and the bytes after the key id."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        return f"{_DASH}{self.name} {encode_base64(self.key_id + self.signature)}\n"


@dataclass(frozen=True)
class Note:
    """A note taken apart. `verified` holds the lines of known keys, one a key; `unverified` the lines of all others."""

    text: bytes
    verified: tuple[Signature, ...]
    unverified: tuple[Signature, ...]


def generate_signer(name: str) -> Signer:
    """A new Ed25519 key for signing checkpoints. Raises KeyInvalid when the name cannot be a key's."""
    if not is_key_name(name):
        raise KeyInvalid("the name is empty, or holds a space, a control character or a plus sign")
    return Signer(name, ED25519, secrets.token_bytes(32))


def parse_verifier(vkey: str) -> Verifier:
    """Read a verifier key of type 0x01 or 0x04. Raises KeyInvalid."""
    name, key_id, kind, key = _parse_key(vkey)
    verifier = Verifier(name, kind, sign.check_public_key(key))
    if verifier.key_id != key_id:
        raise KeyInvalid("the key id does not belong to the key")
    return verifier


def parse_signer(skey: str) -> Signer:
    """Read a signer key of type 0x01 or 0x04. Raises KeyInvalid, never with the key in its text."""
    if not skey.startswith(_SKEY_PREFIX):
        raise KeyInvalid("not a signer key")
    name, key_id, kind, seed = _parse_key(skey.removeprefix(_SKEY_PREFIX))
    signer = Signer(name, kind, seed)
    if signer.verifier.key_id != key_id:
        raise KeyInvalid("the key id does not belong to the key")
    return signer


def sign_note(text: bytes, signer: Signer) -> bytes:
    """The note that holds `text`, signed with a key of type 0x01.

    Raises NoteInvalid for a text that no note can hold, KeyInvalid for a key of another type.
    """
    if signer.kind != ED25519:
        raise KeyInvalid("only a key of type 0x01 signs a note's text")
    _check_text(text)
    signature = Signature(signer.name, signer.verifier.key_id, sign.sign(signer.seed, text))
    return text + b"\n" + signature.line.encode()


def parse_note(note: bytes) -> tuple[bytes, tuple[Signature, ...]]:
    """The text and all signature lines, none of them verified. Raises NoteInvalid when the form is wrong."""
    if len(note) > TEXT_LIMIT:
        raise NoteInvalid("longer than a million bytes")
    _check_characters(note)
    text, empty_line, lines = note.rpartition(b"\n\n")
    if not empty_line or not lines.endswith(b"\n"):
        raise NoteInvalid("no signature lines after an empty line")
    text += b"\n"
    parsed = lines.decode()[:-1].split("\n")
    if len(parsed) > LINE_LIMIT:
        raise NoteInvalid("more than 100 signature lines")
    return text, tuple(_parse_line(line) for line in parsed)


def open_note(note: bytes, known: Sequence[Verifier]) -> Note:
    """Read a note and verify it with the known keys.

    Raises NoteInvalid when the form is wrong, when a known key's line does not verify, and when no known key signed.
    """
    text, signatures = parse_note(note)
    keys = {(verifier.name, verifier.key_id): verifier for verifier in known}
    verified: dict[tuple[str, bytes], Signature] = {}
    unverified = []
    for signature in signatures:
        identity = (signature.name, signature.key_id)
        if identity not in keys:
            unverified.append(signature)
        elif not keys[identity].verify(text, signature.signature):
            raise NoteInvalid(f"the signature of {signature.name} is bad")
        else:
            verified.setdefault(identity, signature)
    if not verified:
        raise NoteInvalid("no known key signed it")
    return Note(text, tuple(verified.values()), tuple(unverified))


def cosigned_bytes(time: int, text: bytes) -> bytes:
    """What a witness of type 0x04 signs: a checkpoint's text at `time`, in POSIX seconds (tlog-cosignature v1.0.1)."""
    return f"cosignature/v1\ntime {time}\n".encode() + text


def cosignature_time(signature: bytes) -> int | None:
    """The POSIX seconds at the head of a cosignature without its key id; None when that is not 72 bytes with a time."""
    time = int.from_bytes(signature[:8], "big")
    return time if len(signature) == 72 and time < 2**63 else None


def is_key_name(name: str) -> bool:
    """Whether a key may bear the name: not empty, no space of any kind, no control character, no plus sign."""
    return (
        name != ""
        and "+" not in name
        and not any(character.isspace() or character < " " or "\ud800" <= character <= "\udfff" for character in name)
    )


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode()


def decode_base64(text: str) -> bytes:
    """The bytes of standard base64 in its one canonical spelling. Raises ValueError for every other text."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise ValueError("not base64") from error
    if encode_base64(data) != text:
        raise ValueError("not canonical base64")
    return data


def _parse_key(text: str) -> tuple[str, bytes, int, bytes]:
    name, plus, rest = text.partition("+")
    key_id, second_plus, encoded = rest.partition("+")
    if not plus or not second_plus or not is_key_name(name):
        raise KeyInvalid("not <name>+<key id>+<base64>")
    if len(key_id) != 8 or any(digit not in "0123456789abcdef" for digit in key_id):
        raise KeyInvalid("the key id is not 8 hexadecimal digits")
    try:
        data = decode_base64(encoded)
    except ValueError as error:
        raise KeyInvalid("the key is not base64") from error
    if not data or data[0] not in (ED25519, COSIGNATURE):
        raise KeyInvalid("the key's type is not known")
    if len(data) != 33:
        raise KeyInvalid("the key has another length than its type")
    return name, bytes.fromhex(key_id), data[0], data[1:]


def _parse_line(line: str) -> Signature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space or not is_key_name(name):
        raise NoteInvalid("a signature line is not '— <name> <base64>'")
    try:
        data = decode_base64(encoded)
    except ValueError as error:
        raise NoteInvalid("a signature line is not base64") from error
    if len(data) < 5:
        raise NoteInvalid("a signature line holds no signature")
    return Signature(name, data[:4], data[4:])


def _check_text(text: bytes) -> None:
    _check_characters(text)
    if not text.endswith(b"\n"):
        raise NoteInvalid("the text does not end in a line feed")


def _check_characters(data: bytes) -> None:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoteInvalid("not UTF-8") from error
    if any(byte < 0x20 and byte != 0x0A for byte in data):
        raise NoteInvalid("a control character")
