from collections.abc import Iterable, Iterator
from typing import Any

from backend.core.clock import rfc3339
from backend.core.models import Event
from backend.evidence.audit import Fault
from backend.trade import documents
from backend.trade.models import AmendmentState, OrderAmendment, PurchaseOrder
from backend.trade.replay.goods import compare, said_reason

ANSWERED = {
    "order.amended": AmendmentState.AGREED,
    "order.cancelled": AmendmentState.AGREED,
    "amendment.refused": AmendmentState.REFUSED,
    "amendment.withdrawn": AmendmentState.WITHDRAWN,
}


def check_amendments(
    order: PurchaseOrder, events: Iterable[Event], amendments: Iterable[OrderAmendment]
) -> list[Fault]:
    """Each proposed change is in the state its answer gave it, and an order that was cancelled says why as was signed.

    One amendment waits at a time: answers follow proposals in the order of the ledger.
    """
    events = list(events)
    faults: list[Fault] = []
    answers = iter([event for event in events if event.type in ANSWERED])
    rows = {row.id: row for row in amendments}
    proposed = [
        rows[event.subject_id] for event in events if event.type == "amendment.proposed" and event.subject_id in rows
    ]
    ending: dict[str, Any] = {event.type: event for event in events if event.subject_id == order.id}
    why = said_reason(ending.get("order.withdrawn"))
    for row in proposed:
        answer = next(answers, None)
        faults += _check_answer(row, answer)
        if answer is not None and answer.type == "order.cancelled":
            why = row.reason
    return faults + list(compare(order, "cancellation_reason", why, order.cancellation_reason))


def _check_answer(row: OrderAmendment, answer: Event | None) -> Iterator[Fault]:
    yield from compare(row, "state", ANSWERED[answer.type] if answer else AmendmentState.PROPOSED, row.state)
    yield from compare(
        row, "closed_at", rfc3339(answer.time) if answer else "", rfc3339(row.closed_at) if row.closed_at else ""
    )
    refused = answer if answer and answer.type == "amendment.refused" else None
    yield from compare(row, "refusal_reason", said_reason(refused), row.refusal_reason)
    yield from compare(row, "digest", documents.digest(row.document), row.digest)
