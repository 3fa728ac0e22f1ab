from datetime import UTC, datetime, timedelta
from string import Formatter
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.risk.models import Severity
from backend.risk.rules import (
    MODES,
    R21,
    R27,
    R31,
    RULES,
    DeviceUse,
    PartyAct,
    ReceiptPlace,
    SignIns,
    opposing_parties,
    reason,
)

NOW = datetime(2026, 11, 23, 15, 40, tzinfo=UTC)
BUYER, SELLER, CARRIER, OTHER_BUYER = (UUID(int=number) for number in range(1, 5))


def place(distance_m, *, accuracy_m=0, precision="precise", radius_m=300):
    return R21.judge(ReceiptPlace(distance_m, accuracy_m, precision, radius_m))


def use(*organisations, opposed=(), days_ago=0):
    at = NOW - timedelta(days=days_ago)
    acts = tuple(PartyAct(one, f"企业{one.int}", f"Firm {one.int}", at) for one in organisations)
    return DeviceUse(at=NOW, acts=acts, opposed=frozenset(opposed))


def refused(*seconds_ago, new_device=False):
    return R31.judge(SignIns(NOW, tuple(NOW - timedelta(seconds=ago) for ago in seconds_ago), new_device))


@pytest.mark.parametrize(
    ("distance_m", "band"),
    [
        (0, "R21.01"),
        (300, "R21.01"),
        (300.1, "R21.02"),
        (5_000, "R21.02"),
        (5_000.1, "R21.03"),
        (100_000, "R21.03"),
        (100_000.1, "R21.04"),
    ],
)
def test_a_precise_place_is_judged_by_its_distance_to_the_edge(distance_m, band):
    assert place(distance_m).band == band


@pytest.mark.parametrize(
    ("distance_m", "accuracy_m", "band"),
    [
        (400, 100, "R21.01"),
        (400.1, 100, "R21.02"),
        (500, 200, "R21.01"),
        (500.1, 200, "R21.02"),
        (500.1, 5_000, "R21.02"),
        (5_200, 200, "R21.02"),
        (5_200.1, 200, "R21.03"),
        (100_200.1, 9_999, "R21.04"),
    ],
)
def test_of_the_accuracy_a_phone_claims_at_most_two_hundred_metres_count(distance_m, accuracy_m, band):
    assert place(distance_m, accuracy_m=accuracy_m).band == band


@pytest.mark.parametrize(
    ("distance_m", "band"),
    [
        (10_000, "R21.01"),
        (10_000.1, "R21.05"),
        (50_000, "R21.05"),
        (50_000.1, "R21.06"),
    ],
)
def test_a_fuzzy_place_has_wider_bands_of_its_own(distance_m, band):
    assert place(distance_m, precision="fuzzy").band == band


def test_the_radius_is_the_orders_even_when_it_is_wider_than_the_next_band():
    assert place(6_000, radius_m=8_000).band == "R21.01"
    assert place(8_000.1, radius_m=8_000).band == "R21.03"


@pytest.mark.parametrize(
    "facts",
    [
        ReceiptPlace(None, None, "", 300),
        ReceiptPlace(90_000, None, "precise", 300),
        ReceiptPlace(90_000, 10, "chosen", 300),
    ],
)
def test_without_a_measured_place_there_is_not_enough_data(facts):
    result = R21.judge(facts)
    assert result.band == "R21.00"
    assert R21.bands[result.band].severity is None


@given(st.floats(0, 2e7), st.floats(0, 1e5), st.integers(1, 10_000))
def test_being_farther_away_is_never_judged_milder(distance_m, accuracy_m, radius_m):
    near = place(distance_m, accuracy_m=accuracy_m, radius_m=radius_m).band
    far = place(distance_m * 1.5 + 1, accuracy_m=accuracy_m, radius_m=radius_m).band
    assert near <= far


def test_the_severities_of_the_place_are_p3_p2_and_p1():
    severities = {band: texts.severity for band, texts in R21.bands.items() if texts.severity}
    assert severities == {"R21.02": "P3", "R21.03": "P2", "R21.04": "P1", "R21.05": "P3", "R21.06": "P2"}


def test_one_device_for_a_buyer_and_its_seller_is_p1_and_names_both():
    result = R27.judge(use(BUYER, SELLER, opposed=[(BUYER, SELLER)]))
    assert R27.bands[result.band].severity is Severity.P1
    told = reason(result.band, result.values)
    assert "企业1" in told["zh"]
    assert "企业2" in told["zh"]
    assert "Firm 1" in told["en"]
    assert "Firm 2" in told["en"]


def test_a_buyer_and_a_seller_that_do_not_trade_with_each_other_are_no_opposing_parties():
    assert R27.judge(use(BUYER, SELLER)).band == "R27.01"
    assert R27.judge(use(BUYER, SELLER, opposed=[(BUYER, CARRIER)])).band == "R27.01"


@pytest.mark.parametrize(("days_ago", "band"), [(90, "R27.03"), (90.00002, "R27.01")])
def test_what_a_device_did_for_the_other_side_counts_for_ninety_days(days_ago, band):
    acts = (*use(BUYER).acts, *use(SELLER, days_ago=days_ago).acts)
    assert R27.judge(DeviceUse(NOW, acts, frozenset([(BUYER, SELLER)]))).band == band


@pytest.mark.parametrize(
    ("parties", "band"),
    [((BUYER,), "R27.01"), ((BUYER, CARRIER), "R27.01"), ((BUYER, CARRIER, OTHER_BUYER), "R27.02")],
)
def test_one_device_for_three_unrelated_parties_is_p2(parties, band):
    assert R27.judge(use(*parties)).band == band
    assert R27.bands["R27.02"].severity is Severity.P2


def test_a_device_nobody_used_gives_no_answer():
    assert R27.judge(use()).band == "R27.00"


def test_every_buyer_among_the_opposing_parties_is_in_danger():
    pairs = [(BUYER, SELLER), (OTHER_BUYER, SELLER)]
    assert opposing_parties(use(BUYER, SELLER, OTHER_BUYER, opposed=pairs)) == pairs


@pytest.mark.parametrize(
    ("seconds_ago", "band"),
    [
        ((0, 1, 2, 3), "R31.01"),
        ((0, 1, 2, 3, 600), "R31.02"),
        ((0, 1, 2, 3, 600.001), "R31.01"),
        ((0, 1, 2, 3, -1), "R31.01"),
        ((0, 1, 2, 3, 4, 5), "R31.02"),
    ],
)
def test_five_refused_sign_ins_within_ten_minutes_are_p3(seconds_ago, band):
    assert refused(*seconds_ago).band == band
    assert R31.bands["R31.02"].severity is Severity.P3


def test_a_new_device_alone_is_not_enough_data():
    assert refused(new_device=True).band == "R31.00"
    assert refused(1, 2, 3, 4, 5, new_device=True).band == "R31.02"


def test_every_rule_has_a_mode_a_band_for_not_enough_data_and_reasons_in_both_languages():
    assert set(MODES) == set(RULES)
    for rule in RULES.values():
        assert rule.bands[f"{rule.id}.00"].severity is None
        for name, band in rule.bands.items():
            assert name.startswith(f"{rule.id}.")
            assert band.zh
            assert band.en
            assert band.zh != band.en


def test_both_languages_of_a_reason_are_told_with_values_the_rule_gives():
    given_values = {
        "R21": {"distance_m", "radius_m"},
        "R27": {"parties", "buyer_zh", "buyer_en", "seller_zh", "seller_en"},
        "R31": {"failures"},
    }
    for rule in RULES.values():
        for band in rule.bands.values():
            for text in (band.zh, band.en):
                assert {name for _, name, _, _ in Formatter().parse(text) if name} <= given_values[rule.id]


def test_a_reason_tells_metres_below_a_kilometre_and_kilometres_above():
    assert reason("R21.02", {"distance_m": 999, "radius_m": 300})["zh"].startswith(
        "签收地点距收货地址 999 米，超出约定的 300 米"
    )
    told = reason("R21.03", {"distance_m": 12_040, "radius_m": 1_000})
    assert "12.0 公里" in told["zh"]
    assert "12.0 km" in told["en"]
    assert "1.0 km" in told["en"]
