"""The trace of an order: each event with who, where, on which device and its place in the ledger, and a verdict computed on the spot.

The verdict never rests on a stored flag: rows, sections and Event rows are compared with the entry under the signed root.
"""

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

import structlog
from django.db.models import Q, QuerySet

from backend.core.events import Actor
from backend.core.ids import typed
from backend.core.models import Event
from backend.evidence import audit
from backend.evidence.faults import Fault
from backend.evidence.models import Voucher
from backend.evidence.published import published_size
from backend.evidence.selectors import RENDERED, anchors, render_vouchers
from backend.evidence.subjects import typed_subject
from backend.evidence.unreadable import UNREADABLE
from backend.parties.models import Device, Member
from backend.trade import rendering, replay, selectors
from backend.trade.models import Despatch, PlaceFacts, PurchaseOrder, Receipt, Signature

Body = dict[str, Any]
RECEIPT_SIGNED = "receipt.signed"
log = structlog.get_logger(__name__)


def trace(by: Actor, order_id: UUID) -> Body:
    """Everything that happened under one of the caller's orders, oldest first, with the faults of each event, and the verdict over all.

    Goods that go directly from one end of several orders to the other are in the trace of each; the people, places and pictures of a firm that
    is no party of this order, and does not carry for it, are not.
    `broken` when anything differs from the ledger, `waiting` while an event is not yet in a published checkpoint, else `sound`. Where rows
    were rewritten so that they cannot be told, the verdict alone.
    """
    try:
        return trace_whole(by, selectors.find_order(by, order_id))
    except UNREADABLE as error:
        return verdict_alone(by, order_id, error)


def verdict_alone(by: Actor, order_id: UUID, because: Exception) -> Body:
    """What is wrong with one of the caller's orders whose trace could not be told, or shown. Raises `because` when nothing is wrong: then it
    was not the rows."""
    number = selectors.order_number(by, order_id)
    subjects: list[tuple[str, UUID]] = [("order", order_id)]
    try:
        delivered = dict(selectors.deliveries_of(order_id).values_list("id", "end_order"))
        received = dict(selectors.receipts_of(order_id).values_list("id", "order"))
        subjects += [("despatch", one) for one in delivered] + [("receipt", one) for one in received]
        signed_here = [one for one, under in received.items() if under == order_id]
        closed = [one for one, end in delivered.items() if end]
        vouchers = _vouchers(order_id, [*delivered, *signed_here], closed)
        subjects += [("voucher", one) for one in vouchers.values_list("id", flat=True)]
        faults = audit.check_subjects(subjects)
    except ValueError:  # not even an identifier is one any more, so that no row can be named by it
        faults = [Fault("row-changed", f"trade.PurchaseOrder {order_id}", "id", audit.CANNOT_BE_READ)]
    if not faults:
        raise because
    log.warning("trace cannot be told", order_no=number, reason=type(because).__name__)
    events = Event.objects.filter(subject_id__in=[one for _, one in subjects], chain="supply")
    anchored = events.filter(index__lt=published_size("supply"))
    verdict = _verdict(faults, events=events.count(), anchored=anchored.count())
    return {"order": None, "steps": [], "vouchers": [], "verdict": verdict}


def trace_whole(by: Actor, order: PurchaseOrder) -> Body:
    """As `trace`, of an order that was read. Raises one of UNREADABLE when a row that it tells of cannot be."""
    who = selectors.viewer(by)
    amendments = {row.id: row for row in order.amendments.all()}
    lots = {row.id: row for row in order.productions.select_related("factory", "order__buyer", "order_line")}
    delivered = selectors.with_way().filter(id__in=selectors.deliveries_of(order.id).values("id"))
    despatches = {row.id: row for row in delivered.prefetch_related("milestones")}
    receipts = {row.id: row for row in selectors.counted(despatches.values())}
    subjects = (
        [("order", order.id)] + [("despatch", one) for one in despatches] + [("receipt", one) for one in receipts]
    )
    subjects += [("amendment", one) for one in amendments] + [("production", one) for one in lots]
    signed_here = [row.id for row in receipts.values() if row.order_id == order.id]
    closed = [row.id for row in despatches.values() if not selectors.sees_all_prices(who, row)]
    attached = _vouchers(order.id, [*despatches, *signed_here, *amendments, *lots], closed)
    vouchers = list(attached.prefetch_related(*RENDERED).order_by("id"))
    subjects += [("voucher", voucher.id) for voucher in vouchers]
    # a document that is gone is missed where others still speak of it
    speaking = Signature.objects.filter(Q(order=order) | Q(subject_id__in=receipts))
    signed = {row.event_id: row for row in speaking}
    subjects += [(row.subject_type, row.subject_id) for row in signed.values()]
    subjects += [(voucher.subject_type, voucher.subject_id) for voucher in vouchers]
    events = list(Event.objects.filter(subject_id__in=[one for _, one in subjects], chain="supply").order_by("id"))
    known = anchors([event.id for event in events])
    faults = audit.check_subjects(subjects)
    faults += replay.check_derived(order, events, despatches.values(), receipts.values())
    faults += replay.check_amendments(order, events, amendments.values())
    faults += replay.check_productions(events, lots.values())
    faults += replay.check_versions(order, events, despatches.values(), receipts.values())
    faults += replay.check_ways(despatches.values())
    numbers = {order.id: order.order_no}
    numbers |= {row.id: row.despatch_no for row in despatches.values()} | {
        row.id: row.receipt_no for row in receipts.values()
    }
    numbers |= dict.fromkeys(amendments, order.order_no) | {row.id: row.production_no for row in lots.values()}
    numbers |= {voucher.id: voucher.filename for voucher in vouchers}
    members = {
        m.id: m
        for m in Member.objects.select_related("person", "organisation").filter(id__in={e.actor_member for e in events})
    }
    devices = {row.id: row for row in Device.objects.filter(id__in={event.actor_device for event in events})}
    places = _places(events, despatches, receipts)
    concerned = {order.buyer_id, order.seller_id, *(row.carrier_id for row in despatches.values())}
    cards = {voucher.id: card for voucher, card in zip(vouchers, render_vouchers(vouchers, by), strict=True)}
    steps = []
    for event in events:
        member = members.get(event.actor_member) if event.actor_member else None
        device = devices.get(event.actor_device) if event.actor_device else None
        own = member is not None and member.organisation_id == who.organisation.id
        open_ = who.sees_all or own or (member is not None and member.organisation_id in concerned)
        place = places.get(event.id) if open_ else None
        steps.append(
            {
                "event": typed("event", event.id),
                "type": event.type,
                "subject": typed_subject(event.subject_type, event.subject_id),
                "number": numbers.get(event.subject_id, ""),
                "at": event.time,
                "organisation": rendering.organisation_body(member.organisation) if member else None,
                "member": rendering.person_body(member) if member and open_ else None,
                "device": rendering.device_body(device, shown=own or who.sees_all) if device else None,
                "assurance": signed[event.id].assurance if event.id in signed else None,
                "place": rendering.place_body(*place, own=own) if place else None,
                "vouchers": [cards[event.subject_id]] if event.subject_id in cards else [],
                "anchor": known[event.id],
                "faults": [_fault(fault) for fault in faults if fault.event == event.id],
            }
        )
    anchored = sum(anchor["state"] == "anchored" for anchor in known.values())
    return {
        "order": rendering.order_summary(order),
        "steps": steps,
        "receipts": [rendering.counted_body(row, order) for row in receipts.values()],
        "vouchers": list(cards.values()),
        "verdict": _verdict(faults, events=len(events), anchored=anchored),
    }


def _vouchers(order: UUID, documents: Iterable[UUID], closed: Collection[UUID]) -> QuerySet[Voucher]:
    """What was attached to an order and to these documents that came of it, by either column that says so; of those that are `closed`, because
    the goods go through orders which the viewer is no party of, nothing that tells their prices."""
    found = Voucher.objects.filter(Q(order_id=order) | Q(subject_id__in=[order, *documents]))
    return found.exclude(subject_id__in=closed, kind__in=selectors.PRICED_VOUCHERS)


def _places(
    events: list[Event], despatches: dict[UUID, Despatch], receipts: dict[UUID, Receipt]
) -> dict[UUID, tuple[PlaceFacts, PurchaseOrder]]:
    """Of each act with a place, that place and the order whose address it is measured against."""
    found: dict[UUID, tuple[PlaceFacts, PurchaseOrder]] = {
        stone.event_id: (stone, row.receiving_order) for row in despatches.values() for stone in row.milestones.all()
    }
    for event in events:
        if event.type == RECEIPT_SIGNED and event.subject_id in receipts:
            receipt = receipts[event.subject_id]
            found[event.id] = (receipt, receipt.despatch.receiving_order)
    return found


def _verdict(faults: list[Fault], *, events: int, anchored: int) -> Body:
    return {
        "state": "broken" if faults else "sound" if anchored == events else "waiting",
        "faults": [_fault(fault) for fault in faults],
        "events": events,
        "anchored": anchored,
    }


def _fault(fault: Fault) -> Body:
    return {"code": fault.code, "subject": fault.row, "field": fault.field, "detail": fault.detail}
