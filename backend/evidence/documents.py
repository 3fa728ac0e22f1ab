"""The sections of this room's events, built from rows: the same content each time, in canonical values."""

from typing import Any

from backend.core import clock
from backend.core.ids import typed
from backend.evidence.models import Upload, Voucher
from backend.evidence.subjects import typed_subject


def voucher_document(voucher: Voucher) -> dict[str, Any]:
    """What a voucher is: which bytes, as what, attached to what, by whom. Queries its file unless that was fetched."""
    return {
        "type": "voucher",
        "id": typed("voucher", voucher.id),
        "version": 1,
        "kind": voucher.kind,
        "subject": {"type": voucher.subject_type, "id": typed_subject(voucher.subject_type, voucher.subject_id)},
        "order": voucher.order_id and typed("order", voucher.order_id),
        "sha256": voucher.file.sha256,
        "size": voucher.file.size,
        "mime": voucher.file.mime,
        "filename": voucher.filename,
        "source": voucher.source,
        "organisation": typed("organisation", voucher.organisation_id),
        "member": typed("member", voucher.member_id),
        "attached_at": clock.rfc3339(voucher.created_at),
    }


def capture_section(upload: Upload, facts: dict[str, Any]) -> dict[str, Any]:
    """What phone and file say about how the file came to be; personal, and proven by nobody."""
    return {
        "captured_at": upload.captured_at and clock.rfc3339(upload.captured_at),
        "opened_at": clock.rfc3339(upload.opened_at),
        "received_at": clock.rfc3339(upload.moved_at),
        "file": facts,
    }
