"""Lots that a factory makes for an order it took: planned, started, produced, tested, closed. What the world did is recorded, over or under the plan."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from stdnum import ean
from stdnum.exceptions import ValidationError

from backend.core import clock
from backend.core.errors import NotFound, RuleBroken
from backend.core.events import Actor, emit
from backend.core.sections import Section
from backend.trade import documents, errors
from backend.trade.models import (
    ORDER_TRANSITIONS,
    PRODUCTION_TRANSITIONS,
    OrderLine,
    ProductionOrder,
    ProductionState,
    PurchaseOrder,
)
from backend.trade.services.acts import acting_member, lock_order, move, party_ids
from backend.trade.services.versions import keep_version
from backend.trade.signing import CLOCK_SKEW

ROLES = ("maker", "signer", "admin")


@transaction.atomic
def plan_production(
    *,
    by: Actor,
    order_id: UUID,
    order_line: str,
    production_no: str,
    lot: str,
    planned_quantity: Decimal,
    gtin: str = "",
) -> ProductionOrder:
    """The seller of a confirmed order plans a lot for one of its lines. Raises NumberTaken, GtinInvalid, WrongState, NotFound, RuleBroken."""
    member = acting_member(by, *ROLES)
    order = lock_order(order_id, party="seller", organisation=by.organisation)
    move(order, ORDER_TRANSITIONS, "produce")
    line = order.lines.filter(line_id=order_line).first()
    if line is None:
        raise RuleBroken("The order has no such line.", field="order_line")
    shown, key = documents.document_number(production_no, field="production_no", limit=64)
    production = ProductionOrder(
        production_no=shown,
        production_key=key,
        factory=order.seller,
        order=order,
        order_version=order.version,
        order_line=line,
        gtin=_gtin(gtin),
        lot=documents.document_number(lot, field="lot", limit=64)[0],
        planned_quantity=planned_quantity,
        planned_by=member,
        planned_at=clock.now(),
    )
    document = documents.production_document(production)
    production.digest = documents.digest(document)
    try:
        with transaction.atomic():
            production.save(force_insert=True)
    except IntegrityError:
        if not ProductionOrder.objects.filter(factory=order.seller, production_key=key).exists():
            raise
        raise errors.NumberTaken("You have a production order of that number.", field="production_no") from None
    return _record(by, production, done="production.planned", document=document)


@transaction.atomic
def start_production(
    *, by: Actor, production_id: UUID, started_at: datetime, expected_version: int | None = None
) -> ProductionOrder:
    """Work on the lot began. Raises RuleBroken (a time in the future), StaleVersion, WrongState, NotFound."""
    production = _lock(by, production_id, expected_version)
    _check_time(started_at, field="started_at")
    document = _advance(production, step="start", started_at=started_at)
    return _record(by, production, done="production.started", document=document)


@transaction.atomic
def report_production(
    *,
    by: Actor,
    production_id: UUID,
    produced_quantity: Decimal,
    finished_at: datetime,
    expected_version: int | None = None,
) -> ProductionOrder:
    """The lot is made, as many as it became. Raises as start_production."""
    production = _lock(by, production_id, expected_version)
    _check_time(finished_at, field="finished_at", after=production.started_at)
    document = _advance(production, step="produce", produced_quantity=produced_quantity, finished_at=finished_at)
    return _record(by, production, done="production.produced", document=document)


@transaction.atomic
def test_production(
    *,
    by: Actor,
    production_id: UUID,
    passed_quantity: Decimal,
    tested_at: datetime,
    expected_version: int | None = None,
) -> ProductionOrder:
    """How many of the lot passed the quality inspection; a lot of which none did has failed. Raises QuantityInvalid, and as start_production."""
    production = _lock(by, production_id, expected_version)
    _check_time(tested_at, field="tested_at", after=production.finished_at)
    if passed_quantity > production.produced_quantity and production.state == ProductionState.PRODUCED:
        raise errors.QuantityInvalid("No more can pass than was produced.", field="passed_quantity")
    step = "pass" if passed_quantity else "fail"
    document = _advance(production, step=step, passed_quantity=passed_quantity, tested_at=tested_at)
    return _record(by, production, done="production.tested", document=document)


@transaction.atomic
def close_production(*, by: Actor, production_id: UUID, expected_version: int | None = None) -> ProductionOrder:
    """Nothing more is to be said of the lot. Raises StaleVersion, WrongState, NotFound."""
    production = _lock(by, production_id, expected_version)
    move(production, PRODUCTION_TRANSITIONS, "close")
    return _tell(by, production, done="production.closed", said={})


@transaction.atomic
def cancel_production(
    *, by: Actor, production_id: UUID, reason: str, expected_version: int | None = None
) -> ProductionOrder:
    """The lot is not made after all, and why; only before it is produced. Raises StaleVersion, WrongState, NotFound."""
    production = _lock(by, production_id, expected_version)
    move(production, PRODUCTION_TRANSITIONS, "cancel")
    ProductionOrder.objects.filter(id=production.id).update(cancellation_reason=reason)
    return _tell(by, production, done="production.cancelled", said={"act": Section({"reason": reason})})


def lots_sent(
    order: PurchaseOrder, lines: Iterable[tuple[OrderLine, str, str]]
) -> list[tuple[str, ProductionOrder | None]]:
    """Of each line to be despatched (the order's line, the lot, the production number) its lot and production order.

    Refuses only what cannot be: a number that this seller never gave, or gave to another line; a lot that is not its; one that was
    cancelled. RuleBroken names the line. Whether more is sent of a lot than passed is for the checks to say, not for the door.
    """
    lines = list(lines)
    keys = [documents.number_key(number) for _, _, number in lines]
    known = {
        row.production_key: row
        for row in ProductionOrder.objects.filter(factory=order.seller, production_key__in=[key for key in keys if key])
    }
    found: list[tuple[str, ProductionOrder | None]] = []
    for place, ((line, lot, number), key) in enumerate(zip(lines, keys, strict=True)):
        if not number:
            found.append((lot, None))
            continue
        made = known.get(key)
        if made is None or made.order_line_id != line.id or made.state == ProductionState.CANCELLED:
            raise RuleBroken(
                "You have no production order of that number for this line.", field=f"lines.{place}.production_no"
            )
        if lot and lot != made.lot:
            raise RuleBroken(f"That production order made the lot {made.lot}.", field=f"lines.{place}.lot")
        found.append((made.lot, made))
    return found


def _lock(by: Actor, production_id: UUID, expected_version: int | None) -> ProductionOrder:
    """The production order, its purchase order locked until the transaction ends. NotFound unless the caller's firm is the factory."""
    acting_member(by, *ROLES)
    order_id = ProductionOrder.objects.filter(id=production_id).values_list("order", flat=True).first()
    if order_id is None:
        raise NotFound()
    lock_order(order_id, party="seller", organisation=by.organisation)
    related = ("factory", "order__buyer", "order__seller", "order_line")
    production = ProductionOrder.objects.select_related(*related).get(id=production_id)
    if expected_version not in (None, production.version):
        raise errors.StaleVersion(version=production.version)
    return production


def _advance(production: ProductionOrder, *, step: str, **facts: Any) -> documents.Document:
    """Moves the lot on; its next version, which says what was reported."""
    move(production, PRODUCTION_TRANSITIONS, step)
    for name, value in facts.items():
        setattr(production, name, value)
    production.version += 1
    document = documents.production_document(production)
    production.digest = documents.digest(document)
    production.save(update_fields=[*facts, "version", "digest"])
    return document


def _record(by: Actor, production: ProductionOrder, *, done: str, document: documents.Document) -> ProductionOrder:
    order = production.order
    event = emit(
        type=done,
        chain="supply",
        subject=("production", production.id),
        version=production.version,
        by=by,
        sections={"document": Section(document)},
        audience=[order.buyer_id, order.seller_id],
        payload=party_ids(order, production=production.id),
    )
    keep_version(event, order=order, document=document)
    return production


def _tell(by: Actor, production: ProductionOrder, *, done: str, said: dict[str, Section]) -> ProductionOrder:
    order = production.order
    emit(
        type=done,
        chain="supply",
        subject=("production", production.id),
        version=production.version,
        by=by,
        sections=said,
        audience=[order.buyer_id, order.seller_id],
        payload=party_ids(order, production=production.id),
    )
    return production


def _check_time(moment: datetime, *, field: str, after: datetime | None = None) -> None:
    if moment > clock.now() + CLOCK_SKEW:
        raise RuleBroken("This time lies in the future.", field=field)
    if after is not None and moment < after:
        raise RuleBroken("This would have been before what came before it.", field=field)


def _gtin(text: str) -> str:
    """A GTIN of 8, 12, 13 or 14 digits with the right check digit, or none."""
    if not text:
        return ""
    try:
        return str(ean.validate(text))
    except ValidationError:
        raise errors.GtinInvalid("8, 12, 13 or 14 digits, the last of which checks the others.", field="gtin") from None
