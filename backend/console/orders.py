"""Orders, despatches and receipts as lists."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from backend.console import labels
from backend.console.deliveries import as_counted, as_known
from backend.console.seat import Seat, SeatedRequest, seated, show
from backend.core import ids
from backend.evidence.selectors import anchors
from backend.trade import selectors
from backend.trade.models import Receipt, Signature

PAGE_SIZE = 50


def page_of(rows: QuerySet[Any], *, kind: str, before: str | None) -> tuple[list[Any], str | None]:
    """The newest rows, or those older than `before` (an identifier), and where the next page begins. NotFound for another's identifier kind."""
    if before:
        rows = rows.filter(id__lt=ids.from_typeid(ids.PREFIXES[kind], before))
    found = list(rows.order_by("-id")[: PAGE_SIZE + 1])
    more = len(found) > PAGE_SIZE
    return found[:PAGE_SIZE], ids.typed(kind, found[PAGE_SIZE - 1].id) if more else None


@require_safe
@seated
def order_list(request: SeatedRequest) -> HttpResponse:
    """The organisation's orders, newest first, all or those in one state."""
    return _list(request, "order", selectors.orders(request.seat.by), "console/orders.html")


@require_safe
@seated
def despatch_list(request: SeatedRequest) -> HttpResponse:
    """What is on its way, or was."""
    rows = selectors.despatches(request.seat.by)
    return _list(
        request, "despatch", rows, "console/despatches.html", further=lambda found: as_known(found, request.seat)
    )


@require_safe
@seated
def receipt_list(request: SeatedRequest) -> HttpResponse:
    """What was signed for, with its place in the ledger."""
    rows = selectors.receipts(request.seat.by)
    return _list(
        request, "receipt", rows, "console/receipts.html", further=lambda found: with_anchors(found, request.seat)
    )


def with_anchors(receipts: list[Receipt], seat: Seat) -> None:
    """Gives each receipt its `anchor`, where the event of its signature lies in the ledger, and the order by which the viewer knows it."""
    as_counted(receipts, seat)
    signed = dict(
        Signature.objects.filter(action="receipt.sign", subject_id__in=[row.id for row in receipts]).values_list(
            "subject_id", "event_id"
        )
    )
    found = anchors(signed.values())
    for row in receipts:
        row.anchor = found.get(signed.get(row.id))  # type: ignore[attr-defined,arg-type]


def _list(
    request: SeatedRequest, kind: str, rows: QuerySet[Any], template: str, *, further: Any = None
) -> HttpResponse:
    states = labels.STATES[kind]
    state = request.GET.get("state", "")
    if state in states:
        rows = rows.filter(state=state)
    found, following = page_of(rows, kind=kind, before=request.GET.get("before"))
    if further:
        further(found)
    here = reverse(f"console:{kind}{'es' if kind == 'despatch' else 's'}")
    next_url = (
        f"{here}?{urlencode({**({'state': state} if state in states else {}), 'before': following})}"
        if following
        else None
    )
    choices = [(code, text) for code, (text, _tone) in states.items()]
    return show(request, template, rows=found, state=state, states=choices, next_url=next_url)
