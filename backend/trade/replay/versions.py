from collections.abc import Iterable, Iterator
from uuid import UUID

from backend.core.clock import rfc3339
from backend.core.models import Event
from backend.evidence.audit import Fault
from backend.trade import documents
from backend.trade.models import Despatch, DocumentVersion, PurchaseOrder, Receipt
from backend.trade.replay.goods import compare
from backend.trade.services.versions import VERSION_EVENTS


def check_versions(
    order: PurchaseOrder, events: Iterable[Event], despatches: Iterable[Despatch], receipts: Iterable[Receipt]
) -> list[Fault]:
    """What is kept of superseded documents stands as its events brought it, without a gap, and prices are those of the version sent under."""
    bringing = {event.id: event for event in events if event.type in VERSION_EVENTS}
    rows = list(DocumentVersion.objects.filter(event_id__in=bringing).order_by("id"))
    # back-to-back: a document may belong to an order further down, or further up
    despatches = list(despatches)
    belongs = {row.id: row.order_id for row in despatches} | {row.id: row.order_id for row in receipts}
    faults = [
        fault
        for row in rows
        for fault in _check_row(belongs.get(row.subject_id, order.id), row, bringing[row.event_id])
    ]
    seen: dict[object, int] = {}
    for row in rows:
        seen[row.subject_id] = seen.get(row.subject_id, 0) + 1
        faults += compare(row, "version", seen[row.subject_id], row.version)
    if order.id in seen:
        faults += compare(order, "version", seen[order.id], order.version)
    return faults + list(_check_prices(rows, order, despatches))


def _check_row(order: UUID, row: DocumentVersion, event: Event) -> Iterator[Fault]:
    yield from compare(row, "order", str(order), str(row.order_id))
    yield from compare(row, "subject_type", event.subject_type, row.subject_type)
    yield from compare(row, "subject_id", str(event.subject_id), str(row.subject_id))
    yield from compare(row, "version", event.version, row.version)
    yield from compare(row, "at", rfc3339(event.time), rfc3339(row.at))
    yield from compare(row, "digest", documents.digest(row.document), row.digest)


def _check_prices(rows: list[DocumentVersion], order: PurchaseOrder, despatches: Iterable[Despatch]) -> Iterator[Fault]:
    prices = {
        (row.version, line["line_id"]): line["unit_price"]
        for row in rows
        if row.subject_id == order.id
        for line in row.document["lines"]
    }
    for despatch in despatches:
        for place, line in enumerate(despatch.lines.all()):
            if despatch.order_id == order.id:
                agreed = prices.get((despatch.order_version, line.order_line.line_id))
                yield from compare(despatch, f"lines.{place}.unit_price", agreed, line.unit_price)
            elif line.end_line and despatch.end_order_id == order.id:
                agreed = prices.get((despatch.receiving_version, line.end_line.line_id))
                yield from compare(despatch, f"lines.{place}.end_unit_price", agreed, line.end_unit_price)
