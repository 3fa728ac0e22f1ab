"""The first page of each role, and the ledger's health."""

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from backend.console.alerts import newest_alerts
from backend.console.deliveries import as_known
from backend.console.ledger_health import ledger_health, readers
from backend.console.orders import with_anchors
from backend.console.seat import SeatedRequest, seated, show
from backend.trade import selectors
from backend.trade.models import OPEN_DESPATCH, OrderState, PurchaseOrder

SHOWN = 8


@require_safe
@seated
def home(request: SeatedRequest) -> HttpResponse:
    """Alerts for a risk officer; for everybody else what waits, what was signed for, and alerts that concern them."""
    seat = request.seat
    if seat.watches_risk:
        return redirect("console:alerts")
    orders, despatches = selectors.orders(seat.by), selectors.despatches(seat.by)
    waiting = [
        *_waiting(orders.filter(state=OrderState.ISSUED), "sign"),
        *_waiting(orders.filter(state=OrderState.BUYER_SIGNED), "confirm"),
        *_undespatched(orders),
    ]
    receipts = list(selectors.receipts(seat.by).order_by("-id")[:SHOWN])
    with_anchors(receipts, seat)
    arriving = list(despatches.filter(state__in=OPEN_DESPATCH).order_by("-id")[:SHOWN])
    as_known(arriving, seat)
    return show(
        request,
        "console/home.html",
        waiting=waiting,
        arriving=arriving,
        receipts=receipts,
        alerts=newest_alerts(seat.by, limit=SHOWN) if seat.is_buyer else [],
    )


def _waiting(orders: QuerySet[PurchaseOrder], step: str) -> list[tuple[str, PurchaseOrder]]:
    return [(step, order) for order in orders.order_by("-id")[:SHOWN]]


def _undespatched(orders: QuerySet[PurchaseOrder]) -> list[tuple[str, PurchaseOrder]]:
    confirmed = orders.filter(state__in=(OrderState.CONFIRMED, OrderState.PART_DELIVERED))
    return [(step, order) for step, order in _waiting(confirmed, "despatch") if selectors.undespatched(order)]


@require_safe
@seated
def ledger(request: SeatedRequest) -> HttpResponse:
    """How large the ledger is, what is published, what waits, and under which key anybody can check it."""
    seat = request.seat
    return show(request, "console/ledger.html", ledger=ledger_health(), readers=readers() if seat.watches_risk else [])
