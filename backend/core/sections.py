"""Sections: the confidential parts of an event. The leaf commits to each; the database keeps each under a data key."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from backend.core import data_keys
from backend.core.models import Event, SealedSection
from backend.ledger import canonical, commitment

SALT_BYTES = 32


@dataclass(frozen=True)
class Section:
    """What a service hands to `emit`. A personal section names its person, purpose and scope, so that it can be erased on its own."""

    content: dict[str, Any]
    person: UUID | None = None
    purpose: str = "business"
    scope: str = ""


@dataclass(frozen=True)
class OpenSection:
    """A section as an entitled reader gets it: content and salt, enough to check the leaf's commitment."""

    content: Any
    salt: bytes


def _associated(event_id: UUID, name: str, key_id: UUID) -> bytes:
    return f"{event_id}\n{name}\n{key_id}".encode()


def seal_sections(event: Event, sections: dict[str, Section]) -> tuple[dict[str, str], list[SealedSection]]:
    """The commitments to an event's sections by name, and the unsaved rows that keep them (AES-256-GCM of a fresh salt and canonical JSON)."""
    default = f"{event.subject_type}:{event.subject_id}"
    wanted = {name: (one.person, one.purpose, one.scope or default) for name, one in sections.items()}
    keys = data_keys.open_keys(set(wanted.values()))
    commitments, rows = {}, []
    for name, section in sections.items():
        salt, content, key = commitment.new_salt(), canonical.dumps(section.content), keys[wanted[name]]
        commitments[name] = commitment.commit_canonical(str(event.id), name, salt, content)
        nonce, sealed = data_keys.seal(key.key, salt + content, _associated(event.id, name, key.row.id))
        rows.append(SealedSection(event=event, name=name, data_key=key.row, nonce=nonce, sealed=sealed))
    return commitments, rows


def open_row(row: SealedSection) -> OpenSection:
    """Opens a stored section. Raises data_keys.Erased when its key is gone, ValueError when a byte of it was changed."""
    plain = data_keys.unseal(
        data_keys.unwrap(row.data_key),
        bytes(row.nonce),
        bytes(row.sealed),
        _associated(row.event_id, row.name, row.data_key_id),
    )
    return OpenSection(content=canonical.loads(plain[SALT_BYTES:]), salt=plain[:SALT_BYTES])


def open_section(event_id: UUID, name: str) -> OpenSection:
    """As open_row, by event and name. Raises SealedSection.DoesNotExist when the event has no such section."""
    return open_row(SealedSection.objects.select_related("data_key").get(event_id=event_id, name=name))
