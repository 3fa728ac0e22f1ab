from dataclasses import asdict, dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from backend.core import clock
from backend.core.errors import NotFound, RuleBroken
from backend.core.events import Actor, emit
from backend.core.ids import new_id, typed
from backend.core.money import QUANTITY_STEP, quantity_text
from backend.core.sections import Section
from backend.parties.models import Member, Organisation
from backend.trade import documents, errors, places
from backend.trade.models import (
    DESPATCH_TRANSITIONS,
    ORDER_TRANSITIONS,
    Despatch,
    DespatchLine,
    Milestone,
    OrderLine,
    PurchaseOrder,
)
from backend.trade.selectors import sent_quantities
from backend.trade.services.acts import (
    acting_member,
    capture_section,
    check_consent,
    despatch_audience,
    lock_order,
    move,
    party_ids,
)
from backend.trade.services.productions import lots_sent
from backend.trade.services.versions import keep_version
from backend.trade.signing import SignedAct, acting_device, check_times

NUMBER_LIMIT = 62  # a receipt's number is the despatch's and two characters more


@dataclass(frozen=True)
class DespatchTerms:
    """One line of a despatch: the order's line, how many, which lot."""

    order_line: str
    quantity: Decimal
    lot: str = ""
    production_no: str = ""


@transaction.atomic
def despatch_goods(
    *,
    by: Actor,
    order_id: UUID,
    despatch_no: str,
    lines: list[DespatchTerms],
    carrier: UUID | None = None,
    driver: UUID | None = None,
    plate_no: str = "",
    waybill_no: str = "",
    packages: int = 0,
) -> Despatch:
    """The seller sends goods off under a confirmed order. Raises OverDespatched (beyond ordered and tolerance), WrongState, NumberTaken, NotFound."""
    member = acting_member(by, "maker", "signer")
    order = lock_order(order_id, party="seller", organisation=by.organisation)
    move(order, ORDER_TRANSITIONS, "despatch")
    if carrier and not Organisation.objects.filter(id=carrier, kind="CARRIER").exists():
        raise RuleBroken("There is no such carrier.", field="carrier")
    if (
        driver
        and not Member.objects.filter(id=driver, organisation=carrier, active=True, roles__icontains="driver").exists()
    ):
        raise RuleBroken("That driver does not drive for this carrier.", field="driver")
    shown, key = documents.document_number(despatch_no, field="despatch_no", limit=NUMBER_LIMIT)
    order_lines = _despatchable(order, lines)
    lots = lots_sent(order, [(order_lines[line.order_line], line.lot, line.production_no) for line in lines])
    despatch = Despatch(
        despatch_no=shown,
        despatch_key=key,
        order=order,
        order_version=order.version,
        seller=order.seller,
        carrier_id=carrier,
        driver_id=driver,
        plate_no=plate_no,
        waybill_no=waybill_no,
        packages=packages,
        despatched_by=member,
        despatched_at=clock.now(),
    )
    try:
        with transaction.atomic():
            despatch.save(force_insert=True)
    except IntegrityError:
        if not Despatch.objects.filter(seller=order.seller, despatch_key=despatch.despatch_key).exists():
            raise
        raise errors.NumberTaken("A despatch of that number exists.", field="despatch_no") from None
    DespatchLine.objects.bulk_create(
        [
            DespatchLine(
                despatch=despatch,
                despatch_line=str(place),
                order_line=order_lines[line.order_line],
                unit_price=order_lines[line.order_line].unit_price,
                quantity=line.quantity,
                lot=lot,
                production=production,
            )
            for place, (line, (lot, production)) in enumerate(zip(lines, lots, strict=True), 1)
        ]
    )
    document = documents.despatch_document(despatch)
    Despatch.objects.filter(id=despatch.id).update(digest=documents.digest(document))
    event = emit(
        type="despatch.despatched",
        chain="supply",
        subject=("despatch", despatch.id),
        by=by,
        sections={"document": Section(document)},
        audience=despatch_audience(despatch),
        payload=party_ids(order, despatch=despatch.id, carrier=carrier),
    )
    keep_version(event, order=order, document=document)
    return despatch


def _despatchable(order: PurchaseOrder, lines: list[DespatchTerms]) -> dict[str, OrderLine]:
    """The order's lines by number, once it is clear that they bear what is to be sent beside what was sent before."""
    known = {line.line_id: line for line in order.lines.all()}
    asked: dict[str, Decimal] = {}
    for place, line in enumerate(lines):
        if line.order_line not in known:
            raise RuleBroken("The order has no such line.", field=f"lines.{place}.order_line")
        asked[line.order_line] = asked.get(line.order_line, Decimal(0)) + line.quantity
    sent = sent_quantities(order)
    for line_id, quantity in asked.items():
        ordered = known[line_id]
        limit = ordered.quantity * (1 + Decimal(ordered.tolerance_pct) / 100)
        if sent[line_id] + quantity > limit:
            left = max(limit - sent[line_id], Decimal(0)).quantize(QUANTITY_STEP, ROUND_FLOOR)
            raise errors.OverDespatched(
                f"Line {line_id}: at most {quantity_text(left)} {ordered.unit} may still go.",
                field="lines",
                left=quantity_text(left),
            )
    return known


@transaction.atomic
def report_milestone(*, by: Actor, despatch_id: UUID, kind: str, act: SignedAct) -> Milestone:
    """The driver reports having picked up or arrived, with the place if allowed. Raises WrongState, NotFound (another's trip)."""
    member = acting_member(by, "driver")
    despatch = Despatch.objects.filter(id=despatch_id, driver=member).select_related("order").first()
    if despatch is None:
        raise NotFound()
    check_times(act)
    PurchaseOrder.objects.filter(id=despatch.order_id).update(version=F("version"))
    despatch.refresh_from_db(fields=["state"])
    device = acting_device(by)
    place = places.check_place(act.capture, despatch.order)
    check_consent(by, act)
    move(despatch, DESPATCH_TRANSITIONS, {"PICKED_UP": "pick_up", "ARRIVED": "arrive"}[kind])
    event_id = new_id()
    milestone = Milestone.objects.create(
        despatch=despatch,
        kind=kind,
        member=member,
        device=device,
        captured_at=act.captured_at,
        event_id=event_id,
        simulated=by.simulated,
        **asdict(place),
    )
    document = milestone_section(milestone)
    emit(
        event_id=event_id,
        type="despatch.milestone",
        chain="supply",
        subject=("despatch", despatch.id),
        version=despatch.version,
        by=by,
        sections={"act": Section(document), "capture": capture_section(by, act, typed("despatch", despatch.id))},
        audience=despatch_audience(despatch),
        payload=party_ids(despatch.order, despatch=despatch.id, member=by.member, device=by.device) | {"kind": kind},
    )
    return milestone


def milestone_section(row: Milestone) -> dict[str, Any]:
    """What the chain commits to of a Milestone row."""
    return {
        "kind": row.kind,
        "despatch": typed("despatch", row.despatch_id),
        "member": typed("member", row.member_id),
        "device": typed("device", row.device_id),
        "captured_at": clock.rfc3339(row.captured_at),
        "location_given": row.location_given,
        "precision_class": row.precision_class,
        "datum": row.datum,
        "accuracy_m": row.accuracy_m,
        "age_s": row.age_s,
        "distance_m": documents.whole_metres(row.distance_m),
        "within": row.within,
        "simulated": row.simulated,
    }
