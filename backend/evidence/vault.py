"""Files at rest: each under a data key of its own (AES-256-GCM), kept once for all who bring the same bytes.

Nobody can tell from an answer whether somebody else brought the file before: the work is the same, only one result is kept.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from backend.core import data_keys
from backend.core.ids import new_id
from backend.core.models import DataKey
from backend.evidence.content import Examined
from backend.evidence.models import StoredFile
from backend.ledger import canonical, durable

PURPOSE = "file"
ORIGINAL, VIEW, FACTS = "original", "view", "facts"
# A folder beside the shelves, whose names are the last two digits of what lies there.
TRASH = "trash"


def folder() -> Path:
    """Where the encrypted files lie."""
    return Path(settings.DATA_DIR) / "files"


def names(file_id: UUID) -> dict[str, str]:
    """The paths of a stored file's original and view below `folder()`."""
    return {part: f"{file_id.hex[-2:]}/{file_id.hex}.{part}" for part in (ORIGINAL, VIEW)}


def keep(data: bytes, mime: str, examined: Examined) -> StoredFile:
    """The stored file of these bytes, whether just kept or kept before. Not inside a transaction: it writes to the disk.

    The files are durable before the row that names them. Of two that bring the same bytes at a time one row stays (its digest is
    unique), and the other's files and key go.
    """
    file_id, sha256 = new_id(), hashlib.sha256(data).hexdigest()
    key = data_keys.data_key(person=None, purpose=PURPOSE, scope=str(file_id))
    paths = names(file_id)
    sealed = {paths[ORIGINAL]: _seal(key, sha256, ORIGINAL, data)}
    if examined.view is not None:
        sealed[paths[VIEW]] = _seal(key, sha256, VIEW, examined.view)
    durable.write_all(folder(), sealed)
    facts = _seal(key, sha256, FACTS, canonical.dumps(examined.facts))
    row = StoredFile(id=file_id, sha256=sha256, size=len(data), mime=mime, data_key=key, facts=facts)
    StoredFile.objects.bulk_create([row], ignore_conflicts=True)
    stored = StoredFile.objects.select_related("data_key").get(sha256=sha256)
    if stored.id != file_id:
        remove(file_id)
    return stored


def remove(file_id: UUID) -> None:
    """Deletes files that no row names, and their key."""
    for path in names(file_id).values():
        with suppress(FileNotFoundError):
            (folder() / path).unlink()
    _forget_key(file_id)


def unnamed(older_than: float) -> Iterator[UUID]:
    """Files on the disk, last written before that POSIX time, that no row names: what a crash left, or a later database knows."""
    for shelf in folder().glob("??"):
        found: dict[UUID, None] = {}
        for path in shelf.glob("*.*"):
            with suppress(ValueError, FileNotFoundError):  # another program's file, or one that goes at this moment
                if path.stat().st_mtime < older_than:
                    found[UUID(path.stem)] = None
        known = _named(found)
        yield from (file_id for file_id in found if file_id not in known)


def discard(file_id: UUID, day: date) -> None:
    """Puts files that no row names into the trash of a day. Their key stays: a later database may know them."""
    trash = folder() / TRASH / day.isoformat()
    trash.mkdir(parents=True, exist_ok=True)
    for path in names(file_id).values():
        with suppress(FileNotFoundError):
            os.replace(folder() / path, trash / Path(path).name)


def sort_trash(before: date) -> int:
    """Puts back what a row names (again), and deletes for good what went into the trash before that day: how many files that were."""
    gone = 0
    for trash in (folder() / TRASH).glob("????-??-??"):
        there = {path: UUID(path.stem) for path in trash.glob("*.*")}
        known = _named(set(there.values()))
        for path, file_id in there.items():
            with suppress(FileNotFoundError):  # another collector came first
                if file_id in known:
                    os.replace(path, folder() / file_id.hex[-2:] / path.name)
                elif trash.name < before.isoformat():
                    path.unlink()
                    _forget_key(file_id)
                    gone += 1
        with suppress(OSError):  # not empty yet
            trash.rmdir()
    return gone


def _named(file_ids: Iterable[UUID]) -> set[UUID]:
    return set(StoredFile.objects.filter(id__in=file_ids).values_list("id", flat=True))


def _forget_key(file_id: UUID) -> None:
    DataKey.objects.filter(purpose=PURPOSE, scope=str(file_id)).delete()


def original(stored: StoredFile) -> bytes:
    """The bytes as they were brought. Raises data_keys.Erased; ValueError when they were changed on the disk; FileNotFoundError."""
    return _open(stored, ORIGINAL)


def view(stored: StoredFile) -> bytes:
    """The picture to look at (JPEG). Raises as `original`."""
    return _open(stored, VIEW)


def facts(stored: StoredFile) -> dict[str, Any]:
    """What the file says about itself. Raises data_keys.Erased, ValueError."""
    plain = _unseal(stored, FACTS, bytes(stored.facts))
    found: dict[str, Any] = canonical.loads(plain)  # type: ignore[assignment] # `keep` sealed a dict
    return found


def holds_place(stored: StoredFile) -> bool:
    """Whether the original tells where it was taken. Where nobody can say any more, it is held to."""
    try:
        return bool(facts(stored).get("gps"))
    except (data_keys.Erased, ValueError, TypeError):
        return True


def _open(stored: StoredFile, part: str) -> bytes:
    return _unseal(stored, part, durable.read(os.fspath(folder() / names(stored.id)[part])))


def _associated(sha256: str, part: str) -> bytes:
    return f"yirong/file/v1\n{sha256}\n{part}".encode()


def _seal(key: DataKey, sha256: str, part: str, plain: bytes) -> bytes:
    nonce, sealed = data_keys.seal(data_keys.unwrap(key), plain, _associated(sha256, part))
    return nonce + sealed


def _unseal(stored: StoredFile, part: str, data: bytes) -> bytes:
    nonce, sealed = data[: data_keys.NONCE_BYTES], data[data_keys.NONCE_BYTES :]
    return data_keys.unseal(data_keys.unwrap(stored.data_key), nonce, sealed, _associated(stored.sha256, part))
