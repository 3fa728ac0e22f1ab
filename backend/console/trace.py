"""One order's page: every document in time, who signed it on what and where, its vouchers, its place in the ledger, and the verdict."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.template import TemplateSyntaxError
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from backend.console import labels
from backend.console.deliveries import as_counted, as_known
from backend.console.plan import band_text, plan_of_act, rings
from backend.console.seat import Seat, SeatedRequest, seated, show
from backend.core import clock, ids
from backend.evidence.unreadable import UNREADABLE
from backend.parties.models import OrganisationKind
from backend.risk.selectors import visible_alerts
from backend.trade import selectors, tracing
from backend.trade.models import Despatch, Milestone, PurchaseOrder, Receipt

Body = dict[str, Any]
VOUCHER_ATTACHED = "voucher.attached"
PICKED_UP = "PICKED_UP"


@require_safe
@seated
def trace(request: SeatedRequest, order: str) -> HttpResponse:
    """The trace of one of the organisation's orders. The verdict is computed for this request: rows, events and sections against the ledger.

    Where rows were rewritten so that they cannot be shown, the page is the verdict.
    """
    seat, order_id = request.seat, ids.from_typeid("ord", order)
    try:
        return _whole(request, selectors.find_order(seat.by, order_id))
    except (*UNREADABLE, TemplateSyntaxError) as error:  # the second is what a template says of a number that is none
        number = selectors.order_number(seat.by, order_id)
        verdict = tracing.verdict_alone(seat.by, order_id, error)["verdict"]
        faults = [_in_words(fault, {order_id: _order_name(number)}) for fault in verdict["faults"]]
        return show(
            request, "console/trace_alone.html", number=number, verdict=verdict, faults=faults, checked_at=clock.now()
        )


def _whole(request: SeatedRequest, order: PurchaseOrder) -> HttpResponse:
    seat = request.seat
    body = tracing.trace_whole(seat.by, order)
    delivered = selectors.deliveries_of(order.id).values("id")
    despatches = list(selectors.despatches(seat.by).filter(id__in=delivered).order_by("id"))
    receipts = list(selectors.receipts(seat.by).filter(despatch__in=delivered).order_by("id"))
    as_known(despatches, seat)
    as_counted(receipts, seat)
    numbers = _numbers(order, despatches, receipts)
    return show(
        request,
        "console/trace.html",
        order=order,
        verdict=body["verdict"],
        faults=[_in_words(fault, numbers) for fault in body["verdict"]["faults"]],
        steps=_steps(body["steps"], seat, order, numbers),
        despatches=despatches,
        receipts=receipts,
        alerts=list(visible_alerts(seat.by).filter(order=order).order_by("severity", "first_seen")),
        checked_at=clock.now(),
    )


def _order_name(number: str) -> str:
    return f"{_('Order')} {number}"


def _numbers(order: PurchaseOrder, despatches: list[Despatch], receipts: list[Receipt]) -> dict[UUID, str]:
    """What people call each document: kind and number, by id."""
    named = {order.id: _order_name(order.order_no)}
    named |= {row.id: f"{_('Despatch')} {row.despatch_no}" for row in despatches}
    return named | {row.id: f"{_('Receipt')} {row.receipt_no}" for row in receipts}


def _steps(steps: list[Body], seat: Seat, order: PurchaseOrder, numbers: dict[UUID, str]) -> list[Body]:
    """The trace's steps as the page shows them: vouchers that one member attached in a row are one step, places as far as the viewer may know."""
    shown: list[Body] = []
    milestones = Milestone.objects.filter(despatch__in=selectors.deliveries_of(order.id))
    reported = {ids.typed("event", row.event_id): row.kind for row in milestones}
    for step in steps:
        last = shown[-1] if shown else None
        if (
            step["type"] == VOUCHER_ATTACHED
            and last
            and last["type"] == VOUCHER_ATTACHED
            and last["member"] == step["member"]
            and last["organisation"] == step["organisation"]
        ):
            last["pieces"].append(_piece(step))
            last["faults"] += [_in_words(fault, numbers) for fault in step["faults"]]
            continue
        own = bool(step["organisation"]) and step["organisation"]["id"] == ids.typed(
            "organisation", seat.organisation.id
        )
        kind = reported.get(step["event"], "")
        shown.append(
            {
                **step,
                "faults": [_in_words(fault, numbers) for fault in step["faults"]],
                "title": labels.MILESTONES.get(kind) or labels.EVENTS.get(step["type"], step["type"]),
                "device": _device(step["device"], own=own, seat=seat),
                "pieces": [_piece(step)] if step["type"] == VOUCHER_ATTACHED else [],
                "where": _where(step, order, own=own, judged=kind != PICKED_UP),
            }
        )
    return shown


def _piece(step: Body) -> Body:
    """A voucher with the place of its own event in the ledger; None for the card of a file that can no longer be shown."""
    return {
        "card": step["vouchers"][0] if step["vouchers"] else None,
        "anchor": step["anchor"],
        "number": step["number"],
    }


def _device(device: Body | None, *, own: bool, seat: Seat) -> str:
    """A handset's model and the end of its identifier, for whose it is and for those who watch; nothing for the other side."""
    if device is None:
        return ""
    watches = seat.organisation.kind in (OrganisationKind.OPERATOR, OrganisationKind.AUDITOR)
    if not own and not watches:
        return ""
    return f"{device['model']} · …{device['id'][-4:]}"


def _where(step: Body, order: PurchaseOrder, *, own: bool, judged: bool) -> Body | None:
    """The place of a step: with distance and plan for whose act it was, else whether it was within the radius, and a band.

    Not `judged`: goods are fetched elsewhere than at the address they go to, so that no radius speaks about it.
    """
    place = step["place"]
    if place is None:
        return None
    exact = own and place["provided"] and place["distance_m"] is not None
    known = place["distance_band"] if place["provided"] and not exact else None
    band = (known["from_m"], known["to_m"]) if known else None
    within = place["within"] if judged else None
    # a point is drawn from the capture that the ledger vouches for, and from no other
    vouched = not any(fault["field"] == "capture" for fault in step["faults"])
    drawn = exact and vouched
    return {
        **place,
        "exact": exact,
        "judged": judged,
        "band": band_text(band, within) if band else "",
        "rings": rings(band, order.radius_m, within) if band else None,
        "plan": plan_of_act(order, ids.from_typeid("evt", step["event"]), within=within) if drawn else None,
    }


def _in_words(fault: Body, numbers: dict[UUID, str]) -> Body:
    """A fault for a person: which document, which field of it, what is wrong."""
    model, _space, row = fault["subject"].partition(" ")
    try:
        document = numbers.get(UUID(row), "")
    except ValueError:
        document = ""
    words = [str(labels.FIELDS.get(part, part)) for part in fault["field"].split(".") if part and not part.isdecimal()]
    lines = [int(part) + 1 for part in fault["field"].split(".") if part.isdecimal()]
    return {
        **fault,
        "document": document or str(labels.ROWS.get(model, fault["subject"])),
        "what": " › ".join([*words[:1], *(str(line) for line in lines), *words[1:]]),
        "text": labels.FAULTS.get(fault["code"], fault["code"]),
    }
