"""The ceiling and the match over plain values: whatever the documents say, the steps add up and the ceiling holds."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.trade.match import STEPS, BilledGoods, LineFacts, Verdict, match_line, total_steps

quantities = st.decimals(0, 5_000, places=3)
prices = st.decimals("0.0001", 900, places=4)


@st.composite
def billed(draw: st.DrawFn) -> BilledGoods:
    quantity = draw(st.decimals("0.001", 5_000, places=3))
    return BilledGoods(quantity, draw(prices), min(draw(quantities), quantity))


@st.composite
def facts(draw: st.DrawFn) -> LineFacts:
    return LineFacts(
        line_id="1",
        unit="EA",
        ordered=draw(st.decimals("0.001", 5_000, places=3)),
        tolerance_pct=draw(st.decimals(0, 20, places=2)),
        unit_price=draw(prices),
        produced=draw(quantities),
        despatched=draw(quantities),
        arrived=draw(quantities),
        accepted=draw(quantities),
        billed=tuple(draw(st.lists(billed(), max_size=3))),
        reduced_fen=draw(st.integers(0, 1_000_000)),
    )


def rounded(amount: Decimal) -> int:
    return int((amount * 100).quantize(Decimal(1), ROUND_HALF_UP))


@settings(deadline=None, max_examples=400)
@given(facts())
def test_the_steps_add_up_to_the_ceiling_and_only_the_first_two_add(line: LineFacts) -> None:
    matched = match_line(line)
    assert tuple(step.name for step in matched.steps) == STEPS
    assert sum(step.fen for step in matched.steps) == matched.ceiling_fen >= 0
    assert all(step.fen <= 0 for step in matched.steps[2:])
    assert matched.steps[0].fen == rounded(line.ordered * line.unit_price)
    assert sum(step.fen for step in total_steps([matched, matched])) == 2 * matched.ceiling_fen


@settings(deadline=None, max_examples=400)
@given(facts())
def test_at_one_price_the_ceiling_is_the_formula(line: LineFacts) -> None:
    price = line.billed[0].unit_price if line.billed else Decimal(0)
    line = LineFacts(**{**vars(line), "billed": line.billed[:1]})
    kept = min(line.limit, line.despatched, line.accepted, line.invoiced - line.credited)
    formula = rounded(kept * min(line.unit_price, price)) - line.reduced_fen
    assert match_line(line).ceiling_fen == max(formula, 0)


@settings(deadline=None, max_examples=400)
@given(facts())
def test_the_ceiling_is_never_more_than_any_single_document_is_worth(line: LineFacts) -> None:
    ceiling = match_line(line).ceiling_fen
    for quantity in (line.limit, line.despatched, line.accepted, line.invoiced - line.credited):
        assert ceiling <= rounded(quantity * line.unit_price)
    live = sum(((one.quantity - one.credited) * one.unit_price for one in line.billed), Decimal(0))
    assert ceiling <= rounded(live)


@settings(deadline=None, max_examples=200)
@given(facts(), quantities)
def test_a_further_fact_against_the_goods_never_raises_the_ceiling(line: LineFacts, less: Decimal) -> None:
    before = match_line(line).ceiling_fen
    for name in ("despatched", "accepted"):
        lower = {**vars(line), name: max(getattr(line, name) - less, Decimal(0))}
        assert match_line(LineFacts(**lower)).ceiling_fen <= before
    assert match_line(LineFacts(**{**vars(line), "reduced_fen": line.reduced_fen + 1})).ceiling_fen <= before


def line(**changes: object) -> LineFacts:
    plain = {"line_id": "1", "unit": "EA", "ordered": Decimal(100), "tolerance_pct": Decimal(5)}
    return LineFacts(**(plain | {"unit_price": Decimal(10)} | changes))  # type: ignore[arg-type]


def goods(quantity: int, price: int = 10, credited: int = 0) -> tuple[BilledGoods, ...]:
    return (BilledGoods(Decimal(quantity), Decimal(price), Decimal(credited)),)


def test_goods_within_the_tolerance_count_and_those_beyond_do_not() -> None:
    sent = {"despatched": Decimal(110), "accepted": Decimal(110), "billed": goods(110)}
    assert match_line(line(**sent)).ceiling_fen == 105_00 * 10


def test_of_goods_billed_at_two_prices_the_cheaper_count_first() -> None:
    billed = goods(50, 8) + goods(50, 10)
    matched = match_line(line(despatched=Decimal(60), accepted=Decimal(60), billed=billed))
    assert matched.ceiling_fen == (50 * 8 + 10 * 10) * 100
    assert {step.name: step.fen for step in matched.steps}["lower_price"] == -100_00


@pytest.mark.parametrize(
    ("changes", "pair", "verdict"),
    [
        ({}, "order_despatch", Verdict.NO_DATA),
        ({"despatched": Decimal(100)}, "order_despatch", Verdict.MATCH),
        ({"despatched": Decimal(104)}, "order_despatch", Verdict.WITHIN_TOLERANCE),
        ({"despatched": Decimal(96)}, "order_despatch", Verdict.WITHIN_TOLERANCE),
        ({"despatched": Decimal(94)}, "order_despatch", Verdict.MISMATCH),
        ({"despatched": Decimal(100)}, "production_despatch", Verdict.NO_DATA),
        ({"produced": Decimal(100), "despatched": Decimal(90)}, "production_despatch", Verdict.MATCH),
        ({"produced": Decimal(80), "despatched": Decimal(90)}, "production_despatch", Verdict.MISMATCH),
        ({"despatched": Decimal(100)}, "despatch_receipt", Verdict.NO_DATA),
        ({"arrived": Decimal(50), "accepted": Decimal(50)}, "despatch_receipt", Verdict.MATCH),
        ({"arrived": Decimal(50), "accepted": Decimal(47)}, "despatch_receipt", Verdict.WITHIN_TOLERANCE),
        ({"arrived": Decimal(50), "accepted": Decimal(40)}, "despatch_receipt", Verdict.MISMATCH),
        (
            {"arrived": Decimal(50), "accepted": Decimal(50), "oversupply": Decimal(1)},
            "despatch_receipt",
            Verdict.MISMATCH,
        ),
        ({"accepted": Decimal(50), "arrived": Decimal(50)}, "receipt_invoice", Verdict.NO_DATA),
        ({"billed": goods(50)}, "receipt_invoice", Verdict.NO_DATA),
        ({"accepted": Decimal(50), "arrived": Decimal(50), "billed": goods(50)}, "receipt_invoice", Verdict.MATCH),
        (
            {"accepted": Decimal(50), "arrived": Decimal(50), "billed": goods(60, credited=10)},
            "receipt_invoice",
            Verdict.MATCH,
        ),
        ({"accepted": Decimal(50), "arrived": Decimal(50), "billed": goods(60)}, "receipt_invoice", Verdict.MISMATCH),
        ({}, "order_invoice_price", Verdict.NO_DATA),
        ({"billed": goods(1)}, "order_invoice_price", Verdict.MATCH),
        ({"billed": goods(1) + goods(1, 11)}, "order_invoice_price", Verdict.MISMATCH),
    ],
)
def test_a_pair_of_documents_compared(changes: dict[str, object], pair: str, verdict: Verdict) -> None:
    assert match_line(line(**changes)).verdicts[pair] == verdict
