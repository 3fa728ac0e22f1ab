"""What is written here: a file comes in by parts, and is attached to a document of the trade.

The bytes are handled outside transactions; a row changes only when what it says is true on the disk already.
"""

import hashlib
import os
import unicodedata
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from backend.core import clock
from backend.core.errors import DomainError, Forbidden, Malformed, RuleBroken
from backend.core.events import Actor, emit
from backend.core.ids import new_id
from backend.core.models import Chain
from backend.core.sections import Section
from backend.evidence import anchoring, content, errors, subjects, vault
from backend.evidence.documents import capture_section, voucher_document
from backend.evidence.events import VOUCHER_ATTACHED
from backend.evidence.models import Mime, StoredFile, Upload, Voucher, VoucherKind
from backend.evidence.published import CHAINS
from backend.evidence.selectors import own_upload
from backend.ledger.errors import LedgerError

FILE_LIMIT = 20 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024
OPEN_UPLOADS = 40
VOUCHERS_A_DOCUMENT = 200
# What waits on a phone goes on where its upload stopped, for as long as the act itself would still be taken, and a day more.
UNFINISHED_FOR = clock.ACT_MAY_WAIT + timedelta(days=1)
CRASHED_FOR = timedelta(hours=1)
TRASH_KEPT = timedelta(days=30)

log = structlog.get_logger(__name__)


def uploads_folder() -> Path:
    """Where the parts of unfinished uploads lie, one file an upload, readable by this user alone."""
    return Path(settings.DATA_DIR) / "uploads"


def open_upload(
    *, by: Actor, sha256: str, size: int, filename: str, mime: str, source: str, captured_at: datetime | None = None
) -> Upload:
    """Announces a file: its digest (lower-case hexadecimal), size in bytes, type. Its parts follow by `receive_part`.

    Raises Forbidden without an organisation; FileEmpty, FileTooLarge, TypeNotTaken; TooManyUploads.
    """
    if by.organisation is None or by.person is None:
        raise Forbidden()
    if size <= 0:
        raise errors.FileEmpty(field="size")
    if size > FILE_LIMIT:
        raise errors.FileTooLarge(
            f"At most {FILE_LIMIT} bytes are taken, these are {size}.", field="size", limit=FILE_LIMIT
        )
    if mime not in Mime.values:
        raise errors.TypeNotTaken(field="mime")
    # Bounds what one person can leave lying on the disk; a few more by asking at the same moment do no harm.
    if Upload.objects.filter(person=by.person, state=Upload.State.OPEN).count() >= OPEN_UPLOADS:
        raise errors.TooManyUploads(retry_after=60)
    return Upload.objects.create(
        organisation_id=by.organisation,
        person_id=by.person,
        sha256=sha256,
        size=size,
        filename=plain_filename(filename),
        mime=mime,
        source=source,
        captured_at=captured_at,
    )


def plain_filename(text: str) -> str:
    """The last component of a file's name, without control characters, at most 200 characters; `file` when nothing is left."""
    name = unicodedata.normalize("NFC", text).replace("\\", "/").rpartition("/")[2]
    name = "".join(character for character in name if unicodedata.category(character)[0] != "C").strip(" .")
    stem, dot, extension = name.rpartition(".")
    return (f"{stem[: 199 - len(extension)]}{dot}{extension}" if dot and len(extension) < 12 else name[:200]) or "file"


def receive_part(*, by: Actor, upload_id: UUID, offset: int, data: bytes) -> Upload:
    """Takes the next part of an upload; with the last one the file is examined and kept. Not inside a transaction.

    The row moves on after the bytes are on the disk; the last part moves it only together with the outcome, so that a crash leaves an upload
    whose last part is simply sent again. The same part twice at once writes the same bytes twice and moves the row once.
    Raises NotFound (also for another's upload), UploadOffset, UploadFailed, PartInvalid; at the end DigestMismatch, TypeMismatch,
    ImageUnreadable, ImageTooLarge, DocumentUnreadable: then the upload has failed and its parts are gone.
    """
    upload = own_upload(by, upload_id)
    if upload.state == Upload.State.FAILED:
        raise errors.UploadFailed(failure=upload.failure)
    if offset != upload.received:
        raise _elsewhere(upload)
    end = offset + len(data)
    if not data or len(data) > CHUNK_BYTES or end > upload.size:
        raise errors.PartInvalid(f"1 to {min(CHUNK_BYTES, upload.size - offset)} bytes are taken here.")
    path = uploads_folder() / upload.id.hex
    _write_part(path, offset, data)
    change: dict[str, object] = {"received": end, "moved_at": clock.now()}
    try:
        if end == upload.size:
            change |= {"state": Upload.State.COMPLETE, "file": _finish(upload, path)}
        moved = Upload.objects.filter(id=upload.id, received=offset, state=Upload.State.OPEN).update(**change)
    except DomainError:
        upload.refresh_from_db()
        if upload.state != Upload.State.COMPLETE:
            raise
        moved = 0  # the same last part, sent twice at once: the other request has finished, and taken away what this one read
    except FileNotFoundError:
        upload.refresh_from_db()
        if upload.state == Upload.State.OPEN:
            raise
        moved = 0  # as above, finished or refused
    upload.refresh_from_db()
    if upload.state != Upload.State.OPEN:
        path.unlink(missing_ok=True)
    if upload.state == Upload.State.FAILED:
        raise errors.UploadFailed(failure=upload.failure)
    if not moved and upload.received != end:
        raise _elsewhere(upload)
    return upload


def _elsewhere(upload: Upload) -> errors.UploadOffset:
    return errors.UploadOffset(f"Go on at {upload.received}.", offset=upload.received, state=upload.state)


def _write_part(path: Path, offset: int, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        view, at = memoryview(data), offset
        while view:
            written = os.pwrite(descriptor, view, at)
            view, at = view[written:], at + written
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _finish(upload: Upload, path: Path) -> StoredFile:
    """Compares digest and type with what was announced, opens the file, keeps it. A refusal ends the upload."""
    data = path.read_bytes()
    try:
        found = hashlib.sha256(data).hexdigest()
        if found != upload.sha256:
            raise errors.DigestMismatch(f"Announced was {upload.sha256}, {found} arrived.", field="sha256")
        examined = content.examine(data, upload.mime)
    except DomainError as refusal:
        open_still = Upload.objects.filter(id=upload.id, state=Upload.State.OPEN)
        open_still.update(state=Upload.State.FAILED, failure=refusal.code, moved_at=clock.now())
        path.unlink(missing_ok=True)
        raise
    return vault.keep(data, upload.mime, examined)


def attach_voucher(
    *, by: Actor, upload_id: UUID, kind: str, subject: tuple[str, UUID], sha256: str | None = None
) -> Voucher:
    """Attaches a file that has arrived to a document (kind of document, id), and records it; callable inside another service's transaction.

    `sha256`, when given, is what the caller has been told the file is. Raises NotFound for an upload or document that is not the actor's to
    see, Forbidden, RuleBroken (too many already), UploadUnfinished, DigestMismatch, AlreadyAttached.
    """
    if kind not in VoucherKind.values:
        raise Malformed(field="kind")
    target = subjects.resolve(by, *subject)
    if not target.may_attach or by.organisation is None or by.member is None:
        raise Forbidden()
    # Bounds what a document is shown with; a few more by asking at the same moment do no harm.
    there = Voucher.objects.filter(subject_type=target.type, subject_id=target.id, organisation=by.organisation)
    if there.count() >= VOUCHERS_A_DOCUMENT:
        raise RuleBroken(f"A company attaches at most {VOUCHERS_A_DOCUMENT} files to one document.", field="subject")
    upload = own_upload(by, upload_id)
    if upload.file is None:
        raise errors.UploadUnfinished(offset=upload.received, state=upload.state, field="upload")
    if sha256 is not None and sha256 != upload.sha256:
        raise errors.DigestMismatch(field="sha256")
    with transaction.atomic():
        voucher = Voucher(
            upload=upload,
            file=upload.file,
            kind=kind,
            subject_type=target.type,
            subject_id=target.id,
            order_id=target.order_id,
            organisation_id=by.organisation,
            member_id=by.member,
            filename=upload.filename,
            source=upload.source,
            event_id=new_id(),
            created_at=clock.now(),
        )
        Voucher.objects.bulk_create([voucher], ignore_conflicts=True)
        if not Voucher.objects.filter(id=voucher.id).exists():
            raise errors.AlreadyAttached(field="upload")
        emit(
            event_id=voucher.event_id,
            type=VOUCHER_ATTACHED,
            chain=Chain.SUPPLY,
            subject=("voucher", voucher.id),
            by=by,
            sections={
                "document": Section(voucher_document(voucher)),
                "capture": Section(
                    capture_section(upload, vault.facts(upload.file)), by.person, "capture", f"voucher:{voucher.id}"
                ),
            },
            audience=target.audience,
            told=target.told,
            payload={
                "voucher": str(voucher.id),
                "order": target.order_id and str(target.order_id),
                target.type: str(target.id),
            },
        )
    return voucher


def collect_leftovers() -> int:
    """Ends uploads that have not moved for as long as an act may wait, and takes away what a crash left: how many things went.

    A file that no row names may be evidence that only a later database knows. So it goes into the trash first, and not even there unless
    the database is the one that the ledger follows.
    """
    now = clock.now()
    stale = Upload.objects.filter(state=Upload.State.OPEN, moved_at__lt=now - UNFINISHED_FOR)
    gone = stale.update(state=Upload.State.FAILED, failure="abandoned", moved_at=now)
    crashed = (now - CRASHED_FOR).timestamp()
    gone += _collect_parts(crashed)
    if not _ledger_follows_database():
        return gone
    for file_id in vault.unnamed(crashed):
        vault.discard(file_id, now.date())
        gone += 1
    return gone + vault.sort_trash((now - TRASH_KEPT).date())


def _ledger_follows_database() -> bool:
    """Whether both chains pass the check with which every signing begins: with an older database put back, they do not."""
    try:
        for chain in CHAINS:
            anchoring.open_log(chain).check()
    except LedgerError as error:
        log.warning("files without a row are left where they are", reason=str(error))
        return False
    return True


def _collect_parts(older_than: float) -> int:
    gone = 0
    for path in uploads_folder().glob("*"):
        with suppress(FileNotFoundError, ValueError):  # a part that goes at this moment; a name that is no upload's
            if path.stat().st_mtime >= older_than:
                continue
            if not Upload.objects.filter(id=UUID(path.name), state=Upload.State.OPEN).exists():
                path.unlink()
                gone += 1
    return gone
