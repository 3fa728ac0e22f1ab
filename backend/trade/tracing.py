"""The trace of an order: each event with who, where, on which device and its place in the ledger, and a verdict computed on the spot.

The verdict never rests on a stored flag: rows, sections and Event rows are compared with the entry under the signed root.
"""

from typing import Any
from uuid import UUID

from backend.core.events import Actor
from backend.core.ids import typed
from backend.core.models import Event
from backend.evidence import audit
from backend.evidence.faults import Fault
from backend.evidence.models import Voucher
from backend.evidence.selectors import RENDERED, anchors, render_vouchers
from backend.parties.models import Device, Member
from backend.trade import rendering, replay, selectors
from backend.trade.models import Despatch, Milestone, PlaceFacts, PurchaseOrder, Receipt, Signature

Body = dict[str, Any]


def trace(by: Actor, order: PurchaseOrder) -> Body:
    """Everything that happened under an order, oldest first, with the faults of each event, and the verdict over all.

    `broken` when anything differs from the ledger, `waiting` while an event is not yet in a published checkpoint, else `sound`.
    """
    who = selectors.viewer(by)
    despatches = {row.id: row for row in Despatch.objects.filter(order=order).prefetch_related("milestones")}
    counted = Receipt.objects.filter(order=order).prefetch_related("lines__despatch_line__order_line")
    receipts = {row.id: row for row in counted}
    vouchers = list(Voucher.objects.select_related(*RENDERED).filter(order_id=order.id).order_by("id"))
    subjects = (
        [("order", order.id)] + [("despatch", one) for one in despatches] + [("receipt", one) for one in receipts]
    )
    subjects += [("voucher", voucher.id) for voucher in vouchers]
    # a document that is gone is missed where others still speak of it
    signed = {row.event_id: row for row in Signature.objects.filter(order=order)}
    subjects += [(row.subject_type, row.subject_id) for row in signed.values()]
    subjects += [(voucher.subject_type, voucher.subject_id) for voucher in vouchers]
    events = list(Event.objects.filter(subject_id__in=[one for _, one in subjects], chain="supply").order_by("id"))
    known = anchors([event.id for event in events])
    faults = audit.check_subjects(subjects)
    faults += replay.check_derived(order, events, despatches.values(), receipts.values())
    numbers = {order.id: order.order_no}
    numbers |= {row.id: row.despatch_no for row in despatches.values()} | {
        row.id: row.receipt_no for row in receipts.values()
    }
    numbers |= {voucher.id: voucher.filename for voucher in vouchers}
    members = {
        m.id: m
        for m in Member.objects.select_related("person", "organisation").filter(id__in={e.actor_member for e in events})
    }
    devices = {row.id: row for row in Device.objects.filter(id__in={event.actor_device for event in events})}
    places = _places(order)
    cards = {voucher.id: card for voucher, card in zip(vouchers, render_vouchers(vouchers, by), strict=True)}
    steps = []
    for event in events:
        member = members.get(event.actor_member) if event.actor_member else None
        device = devices.get(event.actor_device) if event.actor_device else None
        place = places.get(event.id)
        own = member is not None and member.organisation_id == who.organisation.id
        steps.append(
            {
                "event": typed("event", event.id),
                "type": event.type,
                "subject": typed(event.subject_type, event.subject_id),
                "number": numbers.get(event.subject_id, ""),
                "at": event.time,
                "organisation": rendering.organisation_body(member.organisation) if member else None,
                "member": rendering.person_body(member) if member else None,
                "device": rendering.device_body(device, shown=own or who.sees_all) if device else None,
                "assurance": signed[event.id].assurance if event.id in signed else None,
                "place": rendering.place_body(place, order, own=own) if place else None,
                "vouchers": [cards[event.subject_id]] if event.subject_id in cards else [],
                "anchor": known[event.id],
                "faults": [_fault(fault) for fault in faults if fault.event == event.id],
            }
        )
    anchored = sum(known[event.id]["state"] == "anchored" for event in events)
    state = "broken" if faults else "sound" if anchored == len(events) else "waiting"
    return {
        "order": rendering.order_summary(order),
        "steps": steps,
        "vouchers": list(cards.values()),
        "verdict": {
            "state": state,
            "faults": [_fault(fault) for fault in faults],
            "events": len(events),
            "anchored": anchored,
        },
    }


def _places(order: PurchaseOrder) -> dict[UUID, PlaceFacts]:
    milestones: dict[UUID, PlaceFacts] = {row.event_id: row for row in Milestone.objects.filter(despatch__order=order)}
    signed = dict(
        Event.objects.filter(type="receipt.signed", subject_id__in=order.receipts.values("id")).values_list(
            "subject_id", "id"
        )
    )
    return milestones | {signed[row.id]: row for row in order.receipts.all() if row.id in signed}


def _fault(fault: Fault) -> Body:
    return {"code": fault.code, "subject": fault.row, "field": fault.field, "detail": fault.detail}
