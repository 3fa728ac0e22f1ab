"""Back-to-back orders: what an order's line may be bought for, and what may go directly to the buyer of an order above."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from uuid import UUID

from backend.core.errors import RuleBroken
from backend.core.money import quantity_text
from backend.parties.models import Member
from backend.trade import errors
from backend.trade.models import (
    ORDER_TRANSITIONS,
    Despatch,
    DespatchLine,
    DirectLine,
    OrderLine,
    OrderState,
    PurchaseOrder,
)
from backend.trade.selectors import ORDERS_IN_A_ROW, left_to_send, lines_above, lines_with_sent
from backend.trade.services.acts import move

SIGNED = (OrderState.BUYER_SIGNED, OrderState.CONFIRMED, OrderState.PART_DELIVERED, OrderState.AMENDING)
Wanted = tuple[UUID, str]


def lines_bought_for(
    *, member: Member, buyer: UUID, seller: UUID, units: Sequence[str], wanted: Sequence[Wanted | None]
) -> list[OrderLine | None]:
    """The lines of the buyer's own customers that an order's lines are bought for, in their order; None for a line that is for none.

    Only the buyer says so, of orders that it took and that their buyers signed, in the same unit. Raises RuleBroken naming the line: also for a
    seller from whom the goods would go round in a circle, and for more than six orders in a row.
    """
    asked = {one for one in wanted if one}
    if not asked:
        return [None] * len(wanted)
    taken = OrderLine.objects.filter(
        order__in={order for order, _ in asked}, order__seller=buyer, order__state__in=SIGNED
    ).select_related("order")
    known = {(line.order_id, line.line_id): line for line in taken}
    above = lines_above(known.values())
    found: list[OrderLine | None] = []
    for place, one in enumerate(wanted):
        line, field = one and known.get(one), f"lines.{place}.fulfils"
        if one and member.organisation_id != buyer:
            raise RuleBroken("Only the buyer says what it buys goods for.", field=field)
        if one and not line:
            raise RuleBroken("You took no order with that line, or its buyer has not signed it.", field=field)
        if line:
            _check_link(line, above[line.pk], seller=seller, unit=units[place], field=field)
        found.append(line or None)
    return found


def _check_link(line: OrderLine, above: list[OrderLine], *, seller: UUID, unit: str, field: str) -> None:
    if line.unit != unit:
        raise RuleBroken(f"It is ordered in {line.unit}: units do not mix.", field=field)
    orders = [line.order, *(one.order for one in above)]
    if len(orders) >= ORDERS_IN_A_ROW:
        raise RuleBroken(f"At most {ORDERS_IN_A_ROW} orders stand in a row.", field=field)
    if any(seller in (order.buyer_id, order.seller_id) for order in orders):
        raise RuleBroken("The goods would go round in a circle.", field=field)


def orders_up_to(order_id: UUID, end_order: UUID, *, seller: UUID | None) -> set[UUID]:
    """The orders that goods go through from this seller's order up to another, both included."""
    lines = OrderLine.objects.filter(order=order_id, order__seller=seller)
    through = {order_id}
    for above in lines_above(lines).values():
        orders = [line.order_id for line in above]
        if end_order in orders:
            through.update(orders[: orders.index(end_order) + 1])
    return through


def lines_up_to(lines: Iterable[OrderLine], end_order: UUID) -> list[list[OrderLine]]:
    """For each line to be sent the lines above it, up to the order whose buyer receives. Raises RuleBroken for a line that is not for that order."""
    lines = list(lines)
    above = lines_above(lines)
    ways = []
    for place, line in enumerate(lines):
        way = above[line.pk]
        ends = [number for number, one in enumerate(way) if one.order_id == end_order]
        if not ends:
            raise RuleBroken(
                "That line is not bought for the order to be delivered.", field=f"lines.{place}.order_line"
            )
        ways.append(way[: ends[0] + 1])
    return ways


def pass_through(ways: list[list[OrderLine]], quantities: list[Decimal], numbers: list[str]) -> None:
    """Every order on the way takes the goods, and its lines bear them. Raises WrongState, OverDespatched naming the line that was to be sent."""
    orders: dict[UUID, PurchaseOrder] = {}
    asked: dict[int, Decimal] = {}
    for way, quantity in zip(ways, quantities, strict=True):
        for line in way:
            orders[line.order_id] = line.order
            asked[line.pk] = asked.get(line.pk, Decimal(0)) + quantity
    for order in orders.values():
        order.refresh_from_db(fields=["state"])
        move(order, ORDER_TRANSITIONS, "despatch")
    sent = dict(lines_with_sent().filter(pk__in=asked).values_list("pk", "sent"))
    for way, number in zip(ways, numbers, strict=True):
        for line in way:
            left = left_to_send(line, sent[line.pk])
            if asked[line.pk] > left:
                raise errors.OverDespatched(
                    f"Line {number}: at most {quantity_text(left)} {line.unit} may still be delivered there.",
                    field="lines",
                    left=quantity_text(left),
                )


def keep_way(despatch: Despatch, lines: list[DespatchLine], ways: list[list[OrderLine]]) -> None:
    """Notes for which lines above its own each despatch line counts."""
    saved = {row.despatch_line: row for row in despatch.lines.all()}
    DirectLine.objects.bulk_create(
        [
            DirectLine(despatch_line=saved[line.despatch_line], order_line=above)
            for line, way in zip(lines, ways, strict=True)
            for above in way
        ]
    )
