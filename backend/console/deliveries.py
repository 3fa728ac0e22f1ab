"""Deliveries as the console shows them: each under the order by which the viewer knows it, with prices for whom they are."""

from collections.abc import Iterable

from backend.console.seat import Seat
from backend.trade import selectors
from backend.trade.models import Despatch, Receipt


def as_known(despatches: Iterable[Despatch], seat: Seat) -> None:
    """Gives each despatch its `known_order`, and each of its lines the `known_line` of that order."""
    for row in despatches:
        order = selectors.order_known(row, seat.by.organisation)
        row.known_order = order  # type: ignore[attr-defined]
        for line in row.lines.all():
            line.known_line = selectors.line_under(line, order)  # type: ignore[attr-defined]


def as_counted(receipts: Iterable[Receipt], seat: Seat) -> None:
    """As `as_known`, for receipts; `priced` says whether their money is the viewer's to see."""
    who = selectors.viewer(seat.by)
    for row in receipts:
        order = selectors.order_counted(row, seat.by.organisation)
        row.known_order, row.priced = order, selectors.sees_prices(who, row.order)  # type: ignore[attr-defined]
        for line in row.lines.all():
            line.known_line = selectors.line_under(line.despatch_line, order)  # type: ignore[attr-defined]
