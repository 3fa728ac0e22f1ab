"""What a leaf says: that an event happened, and a salted commitment for each of its sections.

A commitment is base64url, unpadded, of

    SHA-256("yirong/section/v1" LF event-id LF section-name LF || salt (32 bytes) || canonical JSON of the section)

The event's id and the section's name stop a section from being shown in another's place; the salt stops guessing, for
amounts, places, phone numbers and order numbers are few enough to try. A section is disclosed by handing over its JSON
and its salt. Once the salt is destroyed the leaf stays as it was, and nobody can confirm a guess any more.

The leaf is a CloudEvents 1.0 event in canonical JSON. Its `type` is the same for every event: what happened, to what
and by whom is a section like the others, or a reader of one leaf could follow a firm through all of them.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from backend.ledger.canonical import Value, dumps, loads
from backend.ledger.errors import LeafInvalid, NotCanonical, SectionMismatch
from backend.ledger.tiles import ENTRY_LIMIT

SALT_SIZE = 32
EVENT_TYPE = "yirong.event.v1"
CHAINS = ("supply", "asset")

_PREFIX = b"yirong/section/v1\n"
_EVENT_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SECTION_NAME = re.compile(r"[a-z_]+")
_COMMITMENT = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)


@dataclass(frozen=True)
class Leaf:
    """A leaf taken apart. `time` is RFC 3339 with milliseconds and Z; commitments by section name."""

    event_id: str
    chain: str
    time: str
    commitments: dict[str, str]


def new_salt() -> bytes:
    """A fresh salt of 32 random bytes: one for each section of each event."""
    return secrets.token_bytes(SALT_SIZE)


def commit(event_id: str, name: str, salt: bytes, section: Value) -> str:
    """The commitment to one section: 43 characters of base64url. Raises LeafInvalid for a bad id, name or salt, and
    NotCanonical for a section without a canonical form."""
    return commit_canonical(event_id, name, salt, dumps(section))


def commit_canonical(event_id: str, name: str, salt: bytes, section: bytes) -> str:
    """As commit, of a section whose canonical JSON is at hand."""
    _check_event_id(event_id)
    _check_section_name(name)
    if len(salt) != SALT_SIZE:
        raise LeafInvalid("a salt has 32 bytes")
    digest = sha256(_PREFIX + f"{event_id}\n{name}\n".encode() + salt + section).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def build_leaf(event_id: str, chain: str, time: datetime, commitments: Mapping[str, str]) -> bytes:
    """The leaf's bytes. `chain` is supply or asset; `time` is aware and is cut to milliseconds. Raises LeafInvalid."""
    if time.tzinfo is None:
        raise LeafInvalid("the time has no zone")
    text = time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return _render(Leaf(event_id, chain, text, dict(commitments)))


def parse_leaf(leaf: bytes) -> Leaf:
    """Read a leaf. Raises LeafInvalid unless the bytes are exactly what `build_leaf` makes."""
    try:
        value = loads(leaf)
    except NotCanonical as error:
        raise LeafInvalid(str(error)) from error
    match value:
        case {"id": str(event_id), "source": str(source), "time": str(time), "data": {"sections": dict(sections)}}:
            commitments = {name: text for name, text in sections.items() if isinstance(text, str)}
            parsed = Leaf(event_id, source.removeprefix("/chains/"), time, commitments)
        case _:
            raise LeafInvalid("not an event of this ledger")
    if _render(parsed) != leaf:
        raise LeafInvalid("not an event of this ledger")
    return parsed


def event_id_of(leaf: bytes) -> str:
    """The event's id in an entry that is known to be a leaf of this ledger: the rest of it is not looked at. Raises
    LeafInvalid."""
    try:
        event_id = json.loads(leaf)["id"]
        _check_event_id(event_id)
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise LeafInvalid("not an event of this ledger") from error
    return str(event_id)


def check_section(leaf: bytes, name: str, salt: bytes, section: Value) -> None:
    """Return when the leaf commits to this section under this name. Raises SectionMismatch when it does not, and
    LeafInvalid or NotCanonical when the leaf or the section is malformed."""
    parsed = parse_leaf(leaf)
    if name not in parsed.commitments:
        raise SectionMismatch(f"the leaf has no section {name!r}")
    if commit(parsed.event_id, name, salt, section) != parsed.commitments[name]:
        raise SectionMismatch(f"section {name!r} is not what the leaf commits to")


def _render(leaf: Leaf) -> bytes:
    _check_event_id(leaf.event_id)
    if leaf.chain not in CHAINS:
        raise LeafInvalid("the chain is neither supply nor asset")
    _check_time(leaf.time)
    if not leaf.commitments:
        raise LeafInvalid("a leaf commits to at least one section")
    for name, text in leaf.commitments.items():
        _check_section_name(name)
        if not _COMMITMENT.fullmatch(text):
            raise LeafInvalid(f"section {name!r} holds no commitment")
    data = dumps(
        {
            "data": {"sections": {**leaf.commitments}},
            "datacontenttype": "application/json",
            "id": leaf.event_id,
            "source": f"/chains/{leaf.chain}",
            "specversion": "1.0",
            "time": leaf.time,
            "type": EVENT_TYPE,
        }
    )
    if len(data) > ENTRY_LIMIT:
        raise LeafInvalid(f"a leaf has at most {ENTRY_LIMIT} bytes, not {len(data)}")
    return data


def _check_event_id(event_id: str) -> None:
    if not _EVENT_ID.fullmatch(event_id):
        raise LeafInvalid("the event's id is not a UUID in 36 lower-case characters")


def _check_section_name(name: str) -> None:
    if not _SECTION_NAME.fullmatch(name):
        raise LeafInvalid("a section's name is lower-case letters and underscores")


def _check_time(text: str) -> None:
    try:
        well_formed = _TIME.fullmatch(text) and datetime.fromisoformat(text)
    except ValueError:
        well_formed = None
    if not well_formed:
        raise LeafInvalid("the time is not RFC 3339 with milliseconds and Z")
