"""Back-to-back orders: which orders goods go through, under which of them a viewer knows a delivery, what each line of each still bears."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any
from uuid import UUID

from django.db.models import Exists, ExpressionWrapper, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from backend.core.fields import QuantityField
from backend.core.money import QUANTITY_STEP
from backend.trade.models import (
    ORDER_TRANSITIONS,
    Despatch,
    DespatchLine,
    DespatchState,
    DirectLine,
    OrderLine,
    PurchaseOrder,
    Receipt,
    ReceiptLine,
)

ORDERS_IN_A_ROW = 6
DIRECT_LINES = Prefetch(
    "direct_lines", DirectLine.objects.select_related("order_line__order__buyer", "order_line__order__seller")
)


def lines_above(lines: Iterable[OrderLine]) -> dict[int, list[OrderLine]]:
    """For each line, by its key, the lines that it is bought for, the nearest first. One query a step."""
    lines = list(lines)
    above: dict[int, list[OrderLine]] = {line.pk: [] for line in lines}
    rising = {line.pk: line.fulfils_id for line in lines if line.fulfils_id}
    for _ in range(ORDERS_IN_A_ROW - 1):
        if not rising:
            break
        found = OrderLine.objects.select_related("order__buyer", "order__seller").in_bulk(set(rising.values()))
        for start, reached in rising.items():
            above[start].append(found[reached])
        further = {start: found[reached].fulfils_id for start, reached in rising.items()}
        rising = {start: reached for start, reached in further.items() if reached}
    return above


def with_way() -> QuerySet[Despatch]:
    """Despatches fetched with their lines and every order that they go through."""
    lines = DespatchLine.objects.select_related("order_line", "end_line", "production").prefetch_related(DIRECT_LINES)
    return Despatch.objects.select_related(
        "order__buyer", "order__seller", "end_order__buyer", "end_order__seller", "seller", "carrier", "driver__person"
    ).prefetch_related(Prefetch("lines", lines))


def orders_through(despatch: Despatch, lines: Iterable[DespatchLine] | None = None) -> list[PurchaseOrder]:
    """The orders that a despatch counts for: the one it was sent under first, the one of whoever receives last.

    `lines`: its lines, where they were fetched apart from it.
    """
    through = {despatch.order_id: despatch.order}
    if despatch.end_order_id:
        for line in despatch.lines.all() if lines is None else lines:
            for direct in line.direct_lines.all():
                through.setdefault(direct.order_line.order_id, direct.order_line.order)
    return list(through.values())


def order_known(
    despatch: Despatch, organisation: UUID | None, lines: Iterable[DespatchLine] | None = None
) -> PurchaseOrder:
    """The order under which an organisation knows a despatch: its own that is nearest to where the goods go; the receiver's, if it has none."""
    for order in reversed(orders_through(despatch, lines)):
        if organisation in (order.buyer_id, order.seller_id):
            return order
    return despatch.receiving_order


def order_counted(
    receipt: Receipt, organisation: UUID | None, lines: Iterable[ReceiptLine] | None = None
) -> PurchaseOrder:
    """As order_known, for what was signed for of a despatch. `lines`: those of the receipt, where they are at hand."""
    counted_lines = receipt.lines.all() if lines is None else lines
    return order_known(receipt.despatch, organisation, [row.despatch_line for row in counted_lines])


def told_orders(despatch: Despatch) -> dict[UUID, UUID | None]:
    """For each party of a despatch that goes through several orders, the one that it may open; none for the carrier."""
    told: dict[UUID, UUID | None] = {}
    if despatch.end_order_id is None:
        return told
    for order in orders_through(despatch):
        told |= {order.buyer_id: order.id, order.seller_id: order.id}
    if despatch.carrier_id:
        told.setdefault(despatch.carrier_id, None)
    return told


def line_under(line: DespatchLine, order: PurchaseOrder) -> OrderLine:
    """The line of `order`, one of those the despatch goes through, that a despatch line counts for."""
    if line.order_line.order_id == order.id:
        return line.order_line
    return next(one.order_line for one in line.direct_lines.all() if one.order_line.order_id == order.id)


def price_under(line: DespatchLine, order: PurchaseOrder) -> str:
    """What the buyer of `order` pays for one unit of a despatch line, at the version sent under where one was noted."""
    under = line_under(line, order)
    if under.pk == line.order_line_id:
        return line.unit_price
    return line.end_unit_price if under.pk == line.end_line_id else under.unit_price


def deliveries_of(order: UUID) -> QuerySet[Despatch]:
    """What was despatched under an order, and what went directly to its buyer, or to a buyer above, from further down."""
    direct = DirectLine.objects.filter(despatch_line__despatch=OuterRef("pk"), order_line__order=order)
    return Despatch.objects.filter(Q(order=order) | Q(Exists(direct)))


def receipts_of(order: UUID) -> QuerySet[Receipt]:
    """What was signed for of an order's deliveries, also under an order above it."""
    return Receipt.objects.filter(despatch__in=deliveries_of(order))


def counted(despatches: Iterable[Despatch]) -> Iterator[Receipt]:
    """The receipts of despatches that were fetched with their way, each line with its despatch line: the oldest first."""
    sent = {row.id: row for row in despatches}
    lines = {line.pk: line for row in sent.values() for line in row.lines.all()}
    for receipt in Receipt.objects.filter(despatch__in=sent).prefetch_related("lines").order_by("id"):
        receipt.despatch = sent[receipt.despatch_id]
        for line in receipt.lines.all():
            line.despatch_line = lines.get(line.despatch_line_id, line.despatch_line)
        yield receipt


def lines_with_sent() -> QuerySet[Any]:
    """Lines with `sent`: what was despatched of them, by whomever, and did not come back."""
    own = DespatchLine.objects.filter(order_line=OuterRef("pk")).exclude(despatch__state=DespatchState.RETURNED)
    direct = DirectLine.objects.filter(order_line=OuterRef("pk"))
    direct = direct.exclude(despatch_line__despatch__state=DespatchState.RETURNED)
    both = _total(own, "order_line", "quantity") + _total(direct, "order_line", "despatch_line__quantity")
    return OrderLine.objects.annotate(sent=ExpressionWrapper(both, output_field=QuantityField()))


def lines_with_accepted() -> QuerySet[Any]:
    """Lines with `accepted`: what was accepted of them, by whomever it was received."""
    own = ReceiptLine.objects.filter(despatch_line__order_line=OuterRef("pk"))
    direct = DirectLine.objects.filter(order_line=OuterRef("pk"))
    both = _total(own, "despatch_line__order_line", "accepted_quantity") + _total(
        direct, "order_line", "despatch_line__receipt_lines__accepted_quantity"
    )
    return OrderLine.objects.annotate(accepted=ExpressionWrapper(both, output_field=QuantityField()))


def _total(rows: QuerySet[DespatchLine] | QuerySet[DirectLine] | QuerySet[ReceiptLine], by: str, of: str) -> Coalesce:
    summed = rows.order_by().values(by).annotate(total=Sum(of)).values("total")
    return Coalesce(Subquery(summed), Decimal(0), output_field=QuantityField())


def left_to_send(line: OrderLine, sent: Decimal) -> Decimal:
    """What may still go of a line: ordered and tolerance, less what went."""
    limit = line.quantity * (1 + Decimal(line.tolerance_pct) / 100)
    return max(limit - sent, Decimal(0)).quantize(QUANTITY_STEP, ROUND_FLOOR)


@dataclass(frozen=True)
class DirectDestination:
    """An order above, to whose buyer goods may go directly, and what may go of each line of the order below, by line number."""

    order: PurchaseOrder
    left: dict[str, Decimal]


def direct_destinations(order: PurchaseOrder) -> list[DirectDestination]:
    """To whom the seller of an order may deliver instead of to its buyer: the buyers of the orders that its lines are bought for.

    What is left is what every order on the way still bears. Orders on the way that take no delivery, or take none any more, end it.
    """
    lines = [line for line in order.lines.all() if line.fulfils_id]
    above = lines_above(lines)
    keys = {line.pk for line in lines} | {one.pk for found in above.values() for one in found}
    sent = dict(lines_with_sent().filter(pk__in=keys).values_list("pk", "sent")) if keys else {}
    found: dict[UUID, DirectDestination] = {}
    for line in lines:
        left = left_to_send(line, sent[line.pk])
        for higher in above[line.pk]:
            left = min(left, left_to_send(higher, sent[higher.pk]))
            if not left or higher.order.state not in ORDER_TRANSITIONS["despatch"]:
                break
            found.setdefault(higher.order_id, DirectDestination(higher.order, {})).left[line.line_id] = left
    return list(found.values())
