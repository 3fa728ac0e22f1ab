"""The three-way match and the signed-for ceiling, over plain values: what was ordered, made, sent, signed for, billed and taken back.

The ceiling (domain invariant A1) is, a line, in fen with tax:
round(min(ordered·(1+tol), despatched, accepted, invoiced − credited) × min(order, invoice) unit price) − price-only credits, never below 0.
Goods billed at several prices count from the cheapest on, so that the ceiling never exceeds what any of them is worth.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

ZERO = Decimal(0)


class Verdict(StrEnum):
    """How two of the documents compare on a line."""

    MATCH = "match"
    WITHIN_TOLERANCE = "within_tolerance"
    MISMATCH = "mismatch"
    NO_DATA = "no_data"


@dataclass(frozen=True)
class BilledGoods:
    """Goods of a line on one invoice line, at its unit price with tax; `credited` of them were taken back."""

    quantity: Decimal
    unit_price: Decimal
    credited: Decimal = ZERO


@dataclass(frozen=True)
class LineFacts:
    """What the documents say of one order line. `arrived`: what was despatched in deliveries that were signed for."""

    line_id: str
    unit: str
    ordered: Decimal
    tolerance_pct: Decimal
    unit_price: Decimal
    produced: Decimal = ZERO
    despatched: Decimal = ZERO
    arrived: Decimal = ZERO
    received: Decimal = ZERO
    accepted: Decimal = ZERO
    short: Decimal = ZERO
    rejected: Decimal = ZERO
    oversupply: Decimal = ZERO
    billed: tuple[BilledGoods, ...] = ()
    # price-only credits, and discounts on invoices that were not taken back with them
    reduced_fen: int = 0
    disputed_fen: int = 0

    @property
    def limit(self) -> Decimal:
        """As much as the tolerance allows."""
        return self.ordered * (1 + self.tolerance_pct / 100)

    @property
    def invoiced(self) -> Decimal:
        return sum((one.quantity for one in self.billed), ZERO)

    @property
    def credited(self) -> Decimal:
        return sum((one.credited for one in self.billed), ZERO)


@dataclass(frozen=True)
class Step:
    """One step from the value of what was ordered down to the ceiling."""

    name: str
    fen: int


@dataclass(frozen=True)
class LineMatch:
    """A line compared: a verdict for each pair of documents, and its steps, which add up to the ceiling."""

    facts: LineFacts
    verdicts: dict[str, Verdict]
    steps: tuple[Step, ...]
    ceiling_fen: int = field(default=0)


STEPS = (
    "ordered",
    "beyond_order",
    "not_despatched",
    "not_accepted",
    "not_invoiced",
    "credited",
    "lower_price",
    "price_credits",
)


def match_line(facts: LineFacts) -> LineMatch:
    """Compares one line's documents and leads from its ordered value to its ceiling."""
    steps = _steps(facts)
    return LineMatch(facts, _verdicts(facts), steps, sum(step.fen for step in steps))


def total_steps(lines: Iterable[LineMatch]) -> list[Step]:
    """The steps of all lines together, in their order."""
    sums = dict.fromkeys(STEPS, 0)
    for line in lines:
        for step in line.steps:
            sums[step.name] += step.fen
    return [Step(name, fen) for name, fen in sums.items()]


def _steps(facts: LineFacts) -> tuple[Step, ...]:
    """Each step is the difference of two rounded values, so that all of them add up to the last one exactly."""
    sent = min(facts.limit, facts.despatched)
    accepted = min(sent, facts.accepted)
    kept = min(accepted, facts.invoiced - facts.credited)
    at_order_price = [
        _fen(quantity * facts.unit_price)
        for quantity in (
            facts.ordered,
            max(facts.ordered, sent),
            sent,
            accepted,
            min(accepted, facts.invoiced),
            kept,
        )
    ]
    priced = _fen(_cheapest(facts.billed, kept, facts.unit_price))
    values = [0, *at_order_price, priced, max(priced - facts.reduced_fen, 0)]
    return tuple(Step(name, after - before) for name, before, after in zip(STEPS, values[:-1], values[1:], strict=True))


def _cheapest(billed: Sequence[BilledGoods], quantity: Decimal, order_price: Decimal) -> Decimal:
    """What `quantity` of the billed goods that were not taken back is worth at least, none above the order's price."""
    worth = ZERO
    for one in sorted(billed, key=lambda goods: goods.unit_price):
        taken = min(quantity, one.quantity - one.credited)
        worth += taken * min(one.unit_price, order_price)
        quantity -= taken
    return worth


def _fen(amount: Decimal) -> int:
    return int((amount * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _verdicts(facts: LineFacts) -> dict[str, Verdict]:
    allowed = facts.limit - facts.ordered
    billed = facts.invoiced - facts.credited
    prices = {one.unit_price for one in facts.billed}
    return {
        "order_despatch": _compare(facts.ordered, facts.despatched, allowed, known=facts.despatched > 0),
        "production_despatch": _covers(facts.produced, facts.despatched),
        "despatch_receipt": _received(facts, allowed),
        "receipt_invoice": _compare(facts.accepted, billed, allowed, known=bool(facts.billed) and facts.arrived > 0),
        "order_invoice_price": Verdict.NO_DATA
        if not prices
        else Verdict.MATCH
        if prices == {facts.unit_price}
        else Verdict.MISMATCH,
    }


def _compare(one: Decimal, other: Decimal, allowed: Decimal, *, known: bool) -> Verdict:
    if not known:
        return Verdict.NO_DATA
    if one == other:
        return Verdict.MATCH
    return Verdict.WITHIN_TOLERANCE if abs(one - other) <= allowed else Verdict.MISMATCH


def _covers(produced: Decimal, despatched: Decimal) -> Verdict:
    """A factory that sent off more than passed its checks sent something else."""
    if not produced or not despatched:
        return Verdict.NO_DATA
    return Verdict.MATCH if produced >= despatched else Verdict.MISMATCH


def _received(facts: LineFacts, allowed: Decimal) -> Verdict:
    """Of deliveries that were signed for; what is still under way is no difference. More than was sent is always one."""
    if facts.oversupply:
        return Verdict.MISMATCH
    return _compare(facts.arrived, facts.accepted, allowed, known=facts.arrived > 0)


@dataclass(frozen=True)
class BillFacts:
    """What the bills of an order still wait for, in fen with tax; `unanswered` are invoices, the disputes are unsettled ones by opener."""

    unanswered: int = 0
    disputed_by_buyer: int = 0
    disputed_by_seller: int = 0
    upheld_fen: int = 0
    credited_fen: int = 0
    payable_fen: int = 0


@dataclass(frozen=True)
class Missing:
    """A document that is missing, which party can supply it, and how much it would be about: by line, or in fen."""

    document: str
    party: str
    lines: dict[str, Decimal] = field(default_factory=dict)
    fen: int | None = None


def missing_goods(lines: Sequence[LineFacts], *, made_by_seller: bool) -> list[Missing]:
    """The documents of goods that an order still lacks. `made_by_seller`: a factory sells what it made, and shows that it made it."""
    found = []
    if made_by_seller:
        found.append(Missing("production", "seller", _left(lines, lambda line: line.ordered - line.produced)))
    found += [
        Missing("despatch", "seller", _left(lines, lambda line: line.ordered - line.despatched)),
        Missing("receipt", "buyer", _left(lines, lambda line: line.despatched - line.arrived)),
        Missing("invoice", "seller", _left(lines, lambda line: line.accepted - line.invoiced + line.credited)),
    ]
    return [one for one in found if one.lines]


def missing_money(bills: BillFacts) -> list[Missing]:
    """The answers, credit notes and payments that an order's bills still wait for."""
    found = []
    if bills.unanswered:
        found.append(Missing("invoice_answer", "buyer"))
    if bills.disputed_by_buyer:
        found.append(Missing("dispute_answer", "seller"))
    if bills.disputed_by_seller:
        found.append(Missing("dispute_answer", "buyer"))
    if bills.upheld_fen > bills.credited_fen:
        found.append(Missing("credit_note", "seller", fen=bills.upheld_fen - bills.credited_fen))
    if bills.payable_fen > 0:
        found.append(Missing("payment", "buyer", fen=bills.payable_fen))
    return found


def _left(lines: Sequence[LineFacts], of: Callable[[LineFacts], Decimal]) -> dict[str, Decimal]:
    left = {line.line_id: of(line) for line in lines}
    return {line_id: quantity for line_id, quantity in left.items() if quantity > 0}
