from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ValidationError

from backend.core import clock, money
from backend.core.errors import NotFound
from backend.core.ids import PREFIXES, TypeIdField, from_typeid, new_id, to_typeid, typed


@given(st.uuids(), st.sampled_from(sorted(PREFIXES.values())))
def test_a_typeid_gives_back_its_uuid(value: UUID, prefix: str) -> None:
    assert from_typeid(prefix, to_typeid(prefix, value)) == value


def test_new_ids_are_version_7_and_rise() -> None:
    ids = [new_id() for _ in range(1000)]
    assert ids == sorted(ids) and len(set(ids)) == 1000 and {one.version for one in ids} == {7}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ord",
        "ord_",
        "ord_01",
        "ORD_01jd2v9xq8e5wbt0k4m6n7p8r9",
        "ord_81jd2v9xq8e5wbt0k4m6n7p8r9",
        "ord_01jd2v9xq8e5wbt0k4m6n7p8ru0",
        "订单",
        "ord_\x00",
        None,
        7,
    ],
)
def test_what_is_no_identifier_names_nothing(text: str) -> None:
    with pytest.raises(NotFound):
        from_typeid("ord", text)


def test_an_identifier_of_another_kind_names_nothing_and_is_a_field_error_in_a_body() -> None:
    receipt = typed("receipt", new_id())
    with pytest.raises(NotFound):
        from_typeid("ord", receipt)
    with pytest.raises(ValidationError) as refused:
        TypeIdField("ord").run_validation(receipt)
    assert refused.value.detail[0].code == "invalid"


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_money_text_is_whole_fen_with_two_decimals(amount: int) -> None:
    text = money.money_text(amount)
    assert Decimal(text) * 100 == amount and text[-3] == "."


@pytest.mark.parametrize(
    ("quantity", "price", "fen"),
    [
        ("1200", "186.00", 22_320_000),
        ("10.5", "3.333", 3500),
        ("1", "0.005", 1),
        ("1", "0.0049", 0),
        ("3", "0.335", 101),
    ],
)
def test_a_line_is_rounded_once_half_up(quantity: str, price: str, fen: int) -> None:
    assert money.line_amount_fen(Decimal(quantity), Decimal(price)) == fen


def test_numbers_are_written_with_exactly_their_decimals_and_without_exponent() -> None:
    assert money.quantity_text(Decimal("12")) == "12.000"
    assert money.coordinate_text(Decimal("121.42")) == "121.4200000"
    assert money.plain_text(Decimal("1E+2")) == "100"


def test_the_clock_says_milliseconds_in_utc() -> None:
    now = clock.now()
    assert now.tzinfo is UTC and now.microsecond % 1000 == 0
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=1)


def test_a_moment_on_the_wire_has_three_decimals_and_z() -> None:
    shanghai = timezone(timedelta(hours=8))
    assert clock.rfc3339(datetime(2026, 11, 23, 18, 0, 0, 5_999, shanghai)) == "2026-11-23T10:00:00.005Z"
    with pytest.raises(ValueError, match="time zone"):
        clock.rfc3339(datetime(2026, 11, 23))
