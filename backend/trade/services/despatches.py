from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from backend.core import clock
from backend.core.errors import NotFound, RuleBroken
from backend.core.events import Actor, emit
from backend.core.ids import new_id, typed
from backend.core.money import quantity_text
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
from backend.trade.selectors import left_to_send, orders_through, sent_quantities, with_way
from backend.trade.services.acts import (
    acting_member,
    capture_section,
    check_consent,
    despatch_audience,
    lock_order,
    lock_orders,
    move,
    order_told,
    party_ids,
)
from backend.trade.services.back_to_back import keep_way, lines_up_to, orders_up_to, pass_through
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
    end_order: UUID | None = None,
) -> Despatch:
    """The seller sends goods off under a confirmed order. Raises OverDespatched (beyond ordered and tolerance), WrongState, NumberTaken, NotFound.

    Back-to-back: with `end_order` they go directly to the buyer of that order above, whose lines, and those of every order between, must bear
    them too.
    """
    member = acting_member(by, "maker", "signer")
    if end_order:
        lock_orders(orders_up_to(order_id, end_order, seller=by.organisation))
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
    sending = [order_lines[line.order_line] for line in lines]
    ways = lines_up_to(sending, end_order) if end_order else [[] for _ in lines]
    pass_through(ways, [line.quantity for line in lines], [line.order_line for line in lines])
    end = ways[0][-1].order if end_order else None
    despatch = Despatch(
        despatch_no=shown,
        despatch_key=key,
        order=order,
        order_version=order.version,
        end_order=end,
        end_version=end.version if end else None,
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
    rows = [
        DespatchLine(
            despatch=despatch,
            despatch_line=str(place),
            order_line=under,
            unit_price=under.unit_price,
            end_line=way[-1] if way else None,
            end_unit_price=way[-1].unit_price if way else "",
            quantity=line.quantity,
            lot=lot,
            production=production,
        )
        for place, (line, under, way, (lot, production)) in enumerate(zip(lines, sending, ways, lots, strict=True), 1)
    ]
    DespatchLine.objects.bulk_create(rows)
    keep_way(despatch, rows, ways)
    despatch = with_way().get(id=despatch.id)
    document = documents.despatch_document(despatch)
    Despatch.objects.filter(id=despatch.id).update(digest=documents.digest(document))
    event = emit(
        type="despatch.despatched",
        chain="supply",
        subject=("despatch", despatch.id),
        by=by,
        sections={"document": Section(document), "supply": Section(documents.despatch_supply(despatch))},
        audience=despatch_audience(despatch),
        payload=party_ids(despatch.receiving_order, despatch=despatch.id, carrier=carrier),
        told=order_told(despatch),
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
        left = left_to_send(ordered, sent[line_id])
        if quantity > left:
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
    despatch = with_way().filter(id=despatch_id, driver=member).first()
    if despatch is None:
        raise NotFound()
    check_times(act)
    lock_orders(one.id for one in orders_through(despatch))
    despatch.refresh_from_db(fields=["state"])
    device = acting_device(by)
    place = places.check_place(act.capture, despatch.receiving_order)
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
        payload=party_ids(despatch.receiving_order, despatch=despatch.id, member=by.member, device=by.device)
        | {"kind": kind},
        told=order_told(despatch),
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
