"""Keys of data: one a person, purpose and scope, wrapped by a master key that lies in a file beside the database.

The operator holds these keys: they keep data from whoever takes the database alone, and make erasure possible.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from uuid import UUID

from Crypto.Cipher import AES
from Crypto.Random import get_random_bytes
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from backend.core import clock
from backend.core.errors import DomainError
from backend.core.ids import new_id
from backend.core.models import DataKey
from backend.ledger import durable

NONCE_BYTES = 12
TAG_BYTES = 16
MASTER_BYTES = 32


class Erased(DomainError):
    """The data key was destroyed: what it kept can be read by nobody."""

    code, title, status = "erased", "This was erased", 404


class MasterKeyMissing(RuntimeError):
    """A wrapped key names a master key whose file is not there: restore DATA_DIR/keys/master from the backup."""


def seal(key: bytes, plain: bytes, associated: bytes) -> tuple[bytes, bytes]:
    """AES-256-GCM with a fresh 96-bit nonce: (nonce, ciphertext and tag). NIST SP 800-38D."""
    nonce = get_random_bytes(NONCE_BYTES)
    cipher = AES.new(key, AES.MODE_GCM, nonce=nonce)
    cipher.update(associated)
    sealed, tag = cipher.encrypt_and_digest(plain)
    return nonce, sealed + tag


def unseal(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
    """What seal was given. Raises ValueError when key, associated data or a byte differs."""
    cipher = AES.new(key, AES.MODE_GCM, nonce=nonce)
    cipher.update(associated)
    return cipher.decrypt_and_verify(sealed[:-TAG_BYTES], sealed[-TAG_BYTES:])


def _master_folder() -> Path:
    return Path(settings.DATA_DIR) / "keys" / "master"


def create_master_key() -> str:
    """Writes a new master key (mode 0600) and returns its name; the newest name wraps."""
    folder = _master_folder()
    durable.private_folder(folder)
    name = str(new_id())
    durable.create_secret(folder / name, get_random_bytes(MASTER_BYTES))
    newest_master.cache_clear()
    return name


@cache
def _master(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except FileNotFoundError:
        raise MasterKeyMissing(name) from None


@cache
def newest_master(folder: Path) -> str:
    """The name of the master key that wraps now. Names are UUIDv7, so the newest is the largest."""
    names = sorted(path.name for path in folder.glob("*")) if folder.is_dir() else []
    if not names:
        raise MasterKeyMissing(str(folder))
    return names[-1]


def has_master_key() -> bool:
    """Whether a master key lies in its folder already. One that was cut short while it was made is none: it has wrapped nothing."""
    return any(path.stat().st_size == MASTER_BYTES for path in _master_folder().glob("*"))


Wanted = tuple[UUID | None, str, str]


@dataclass(frozen=True)
class OpenKey:
    """A data key that lies open: its row and its 32 bytes."""

    row: DataKey
    key: bytes = field(repr=False)


def open_keys(wanted: Collection[Wanted]) -> dict[Wanted, OpenKey]:
    """The data keys of these (person, purpose, scope); what is missing is made, once even when two ask at a time.

    Raises Erased when one of them was destroyed.
    """
    found = _found(wanted)
    # In one order for all: two who make the same keys at once wait for each other's rows, and must not wait in a circle.
    missing = {one: _new(*one) for one in sorted(wanted, key=str) if one not in found}
    if not missing:
        return found
    rows = [made.row for made in missing.values()]
    try:
        with transaction.atomic():
            DataKey.objects.bulk_create(rows)
        return found | missing
    except IntegrityError:
        DataKey.objects.bulk_create(rows, ignore_conflicts=True)
        return found | _found(missing)


def _found(wanted: Collection[Wanted]) -> dict[Wanted, OpenKey]:
    # Each whole, as the two unique indexes have them: by purpose and scope alone every key there is would be looked at.
    each = [Q(person=person, purpose=purpose, scope=scope) for person, purpose, scope in wanted]
    rows = DataKey.objects.filter(Q(*each, _connector=Q.OR))
    return {(row.person, row.purpose, row.scope): OpenKey(row, unwrap(row)) for row in rows}


def _new(person: UUID | None, purpose: str, scope: str) -> OpenKey:
    folder = _master_folder()
    master = newest_master(folder)
    identity, key = new_id(), get_random_bytes(32)
    nonce, sealed = seal(_master(folder, master), key, str(identity).encode())
    row = DataKey(id=identity, person=person, purpose=purpose, scope=scope, wrapped=nonce + sealed, master=master)
    return OpenKey(row, key)


def data_key(*, person: UUID | None, purpose: str, scope: str) -> DataKey:
    """The row of one, as open_keys finds or makes it."""
    return open_keys([(person, purpose, scope)])[person, purpose, scope].row


def unwrap(key: DataKey) -> bytes:
    """The 32 bytes of a data key. Raises Erased when it was destroyed."""
    if key.wrapped is None:
        raise Erased()
    wrapped = bytes(key.wrapped)
    return unseal(
        _master(_master_folder(), key.master), wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], str(key.id).encode()
    )


def destroy(key_id: UUID) -> bool:
    """Destroys a data key for good; False when it was destroyed before."""
    return (
        DataKey.objects.filter(id=key_id, destroyed_at__isnull=True).update(
            destroyed_at=clock.now(), wrapped=None, master=""
        )
        == 1
    )
