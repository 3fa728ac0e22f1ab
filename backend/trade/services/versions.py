"""Every version of every document is kept as it stood: what supersedes it is the next row (domain invariant A18)."""

from backend.core.models import Event
from backend.trade import documents
from backend.trade.models import DocumentVersion, PurchaseOrder

# Documents of the supply chain: what happens to one names a version that there is.
VERSIONED = frozenset(
    {
        "order",
        "amendment",
        "production",
        "despatch",
        "waybill",
        "receipt",
        "invoice",
        "credit_note",
        "payment",
        "dispute",
    }
)
# The events that bring a document's next version, and so a row. One that only tells of a document again is not among them.
VERSION_EVENTS = frozenset(
    {
        "order.issued",
        "order.amended",
        "amendment.proposed",
        "production.planned",
        "production.started",
        "production.produced",
        "production.tested",
        "despatch.despatched",
        "receipt.signed",
    }
)


class NoSuchVersion(LookupError):
    """An event names a version of a document that nobody ever made: a mistake of the service that records it."""


def keep_version(
    event: Event, *, order: PurchaseOrder, document: documents.Document, reason: str = ""
) -> DocumentVersion:
    """Keeps the document that `event` brought, beside it in the same transaction. IntegrityError when that version was made before."""
    return DocumentVersion.objects.create(
        order=order,
        subject_type=event.subject_type,
        subject_id=event.subject_id,
        version=event.version,
        document=document,
        digest=documents.digest(document),
        reason=reason,
        at=event.time,
        event_id=event.id,
    )


def check_version(event: Event) -> None:
    """Refuses an event of a version that does not exist, unless its type is one of those that bring a version."""
    if event.subject_type not in VERSIONED or event.type in VERSION_EVENTS:
        return
    there = DocumentVersion.objects.filter(
        subject_type=event.subject_type, subject_id=event.subject_id, version=event.version
    )
    if not there.exists():
        raise NoSuchVersion(
            f"{event.type}: {event.subject_type} {event.subject_id} has no version {event.version}; a type that brings one stands in VERSION_EVENTS"
        )


def version_section(row: DocumentVersion) -> documents.Document:
    """What the chain commits to of a DocumentVersion row: the document itself."""
    return dict(row.document)
