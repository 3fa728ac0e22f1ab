"""What no section holds, told again from what does: states from what happened, amounts from counts and prices (domain invariant A13)."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.db import models

from backend.core import data_keys
from backend.core.models import Event
from backend.core.money import line_amount_fen
from backend.core.sections import open_section
from backend.evidence.faults import Fault
from backend.trade.models import Despatch, DespatchState, OrderState, PurchaseOrder, Receipt, ReceiptLine, ReceiptState
from backend.trade.selectors import all_delivered

# The furthest that happened counts; a rejection or a cancellation ends an order.
ORDER_STATES = {
    "order.issued": OrderState.ISSUED,
    "order.signed": OrderState.BUYER_SIGNED,
    "order.confirmed": OrderState.CONFIRMED,
    "order.rejected": OrderState.REJECTED,
    "order.withdrawn": OrderState.CANCELLED,
    "order.cancelled": OrderState.CANCELLED,
}
MILESTONE_STATES = {"PICKED_UP": DespatchState.IN_TRANSIT, "ARRIVED": DespatchState.ARRIVED}
RECEIPT_STATES: dict[str, str] = {
    ReceiptState.SIGNED: DespatchState.RECEIVED,
    ReceiptState.SIGNED_WITH_EXCEPTION: DespatchState.PART_RECEIVED,
    ReceiptState.REJECTED: DespatchState.RETURNED,
}


def check_derived(
    order: PurchaseOrder, events: Iterable[Event], despatches: Iterable[Despatch], receipts: Iterable[Receipt]
) -> list[Fault]:
    """What is in another state than its events lead to, carries another reason than its rejection was given, or costs other than it counts."""
    events = list(events)
    happened = {event.type: event for event in events if event.subject_id == order.id}
    receipts = list(receipts)
    received = {receipt.despatch_id: receipt for receipt in receipts}
    faults = list(compare(order, "state", _order_state(order, happened, received, events), order.state))
    for despatch in despatches:
        faults += compare(despatch, "state", _despatch_state(despatch, received), despatch.state)
    faults += compare(order, "rejection_reason", said_reason(happened.get("order.rejected")), order.rejection_reason)
    for receipt in (one for one in receipts if one.order_id == order.id):
        for place, line in enumerate(receipt.lines.all()):
            faults += compare(receipt, f"lines.{place}.amount", _amount(line), line.amount_fen)
    return faults


def _amount(line: ReceiptLine) -> int | str:
    """What the line costs; in words, which no amount equals, when its price is no number any more."""
    price = line.despatch_line.receiving_price
    try:
        return line_amount_fen(line.accepted_quantity, Decimal(price))
    except (ArithmeticError, ValueError):
        return f"not told: the price is {price!r}"


def compare(row: models.Model, field: str, expected: str | int | None, found: str | int) -> Iterator[Fault]:
    """A fault when a column says other than what happened. None expects nothing: another fault says why it cannot be told."""
    if expected is not None and expected != found:
        yield Fault("row-changed", f"{row._meta.label} {row.pk}", field, expected=expected, found=found)


def _order_state(
    order: PurchaseOrder, happened: dict[str, Any], received: dict[UUID, Receipt], events: list[Event]
) -> str | None:
    reached = [state for type_, state in ORDER_STATES.items() if type_ in happened]
    accepted = any(receipt.state != ReceiptState.REJECTED for receipt in received.values())
    if not reached or reached[-1] != OrderState.CONFIRMED:
        return reached[-1] if reached else None
    if amending(events):
        return OrderState.AMENDING
    if not accepted:
        return OrderState.CONFIRMED
    return OrderState.DELIVERED if all_delivered(order) else OrderState.PART_DELIVERED


def _despatch_state(despatch: Despatch, received: dict[UUID, Receipt]) -> str | None:
    """None when its receipt is in no state that there is: the receipt's state is sealed, and the fault is named there."""
    if despatch.id in received:
        return RECEIPT_STATES.get(received[despatch.id].state)
    passed = {milestone.kind for milestone in despatch.milestones.all()}
    return next(
        (MILESTONE_STATES[kind] for kind in ("ARRIVED", "PICKED_UP") if kind in passed), DespatchState.DESPATCHED
    )


def amending(events: Iterable[Event]) -> bool:
    """Whether a change was proposed that nobody has answered."""
    types = [event.type for event in events]
    answered = sum(types.count(one) for one in ("order.amended", "amendment.refused", "amendment.withdrawn"))
    return types.count("amendment.proposed") > answered


def said_reason(event: Event | None) -> str | None:
    """The reason as the ledger vouches for it; None when it cannot be opened, which the audit of its event says."""
    if event is None:
        return ""
    try:
        return str(open_section(event.id, "act").content["reason"])
    except (ObjectDoesNotExist, data_keys.Erased, ValueError, LookupError, TypeError):
        return None
