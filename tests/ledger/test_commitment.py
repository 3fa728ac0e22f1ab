from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.ledger import canonical, commitment
from backend.ledger.canonical import Value
from backend.ledger.errors import LeafInvalid, NotCanonical, SectionMismatch

EVENT = "0199e4a0-0000-7000-8000-00000000002a"
OTHER = "0199e4a0-0000-7000-8000-00000000002b"
SALT = bytes(range(32))
HEADER: Value = {"actor": "mbr_1", "subject": "rcp_1", "type": "receipt.signed", "version": 2}
TIME = datetime(2026, 11, 23, 10, 0, 0, 999_999, tzinfo=UTC)


def test_a_commitment_is_the_hash_that_the_format_says() -> None:
    text = b'{"actor":"mbr_1","subject":"rcp_1","type":"receipt.signed","version":2}'
    digest = hashlib.sha256(b"yirong/section/v1\n" + EVENT.encode() + b"\nheader\n" + SALT + text).digest()
    assert commitment.commit(EVENT, "header", SALT, HEADER) == base64.urlsafe_b64encode(digest).decode()[:43]


def leaf() -> bytes:
    return commitment.build_leaf(
        EVENT, "supply", TIME, {"header": commitment.commit(EVENT, "header", SALT, HEADER), "document": "A" * 43}
    )


def test_a_leaf_is_a_canonical_cloudevent_that_holds_commitments_only() -> None:
    header = commitment.commit(EVENT, "header", SALT, HEADER)
    assert leaf().decode() == (
        '{"data":{"sections":{"document":"' + "A" * 43 + '","header":"' + header + '"}},'
        '"datacontenttype":"application/json","id":"' + EVENT + '","source":"/chains/supply","specversion":"1.0",'
        '"time":"2026-11-23T10:00:00.999Z","type":"yirong.event.v1"}'
    )
    parsed = commitment.parse_leaf(leaf())
    assert (parsed.event_id, parsed.chain, parsed.time) == (EVENT, "supply", "2026-11-23T10:00:00.999Z")
    assert parsed.commitments == {"document": "A" * 43, "header": header}


def test_the_time_of_a_leaf_is_utc_whatever_zone_it_came_in() -> None:
    shanghai = TIME.astimezone(timezone(timedelta(hours=8)))
    assert commitment.build_leaf(EVENT, "asset", shanghai, {"a": "A" * 43}) == commitment.build_leaf(
        EVENT, "asset", TIME, {"a": "A" * 43}
    )
    with pytest.raises(LeafInvalid, match="zone"):
        commitment.build_leaf(EVENT, "asset", TIME.replace(tzinfo=None), {"a": "A" * 43})


def test_a_disclosed_section_is_confirmed_and_no_other_is() -> None:
    commitment.check_section(leaf(), "header", SALT, HEADER)
    refusals: list[tuple[str, bytes, Value]] = [
        ("header", SALT, {"actor": "mbr_2"}),
        ("header", bytes(32), HEADER),
        ("document", SALT, HEADER),
        ("capture", SALT, HEADER),
    ]
    for name, salt, section in refusals:
        with pytest.raises(SectionMismatch, match=name):
            commitment.check_section(leaf(), name, salt, section)


def test_a_section_cannot_be_copied_to_another_event_or_name() -> None:
    values = {
        commitment.commit(event, name, SALT, HEADER) for event in (EVENT, OTHER) for name in ("header", "document")
    }
    assert len(values) == 4
    moved = commitment.build_leaf(OTHER, "supply", TIME, {"header": commitment.commit(EVENT, "header", SALT, HEADER)})
    with pytest.raises(SectionMismatch):
        commitment.check_section(moved, "header", SALT, HEADER)


def test_salts_are_fresh_and_long() -> None:
    salts = {commitment.new_salt() for _ in range(100)}
    assert len(salts) == 100
    assert {len(salt) for salt in salts} == {32}


@pytest.mark.parametrize(
    ("event_id", "chain", "commitments"),
    [
        (EVENT.upper(), "supply", {"header": "A" * 43}),
        (EVENT[:-1], "supply", {"header": "A" * 43}),
        (EVENT + "\n", "supply", {"header": "A" * 43}),
        (EVENT.replace("-", ""), "supply", {"header": "A" * 43}),
        (EVENT, "goods", {"header": "A" * 43}),
        (EVENT, "supply", {}),
        (EVENT, "supply", {"Header": "A" * 43}),
        (EVENT, "supply", {"header\n": "A" * 43}),
        (EVENT, "supply", {"": "A" * 43}),
        (EVENT, "supply", {"header": "A" * 42}),
        (EVENT, "supply", {"header": "A" * 42 + "B"}),
        (EVENT, "supply", {"header": "A" * 43 + "="}),
        (EVENT, "supply", {"header": "+" * 42 + "A"}),
    ],
)
def test_what_cannot_be_a_leaf_is_refused(event_id: str, chain: str, commitments: dict[str, str]) -> None:
    with pytest.raises(LeafInvalid):
        commitment.build_leaf(event_id, chain, TIME, commitments)


def name_of(number: int) -> str:
    return "".join("abcdefghij"[int(digit)] for digit in str(number))


def test_a_leaf_of_more_than_65535_bytes_is_refused() -> None:
    one = len(commitment.build_leaf(EVENT, "supply", TIME, {"aaaa": "A" * 43}))
    count = (65_535 - one) // (4 + 43 + 6) + 1
    commitments = {name_of(1000 + number): "A" * 43 for number in range(count)}
    assert len(commitment.build_leaf(EVENT, "supply", TIME, commitments)) <= 65_535
    commitments |= {name_of(9999): "A" * 43, name_of(9998): "A" * 43}
    with pytest.raises(LeafInvalid, match="65535"):
        commitment.build_leaf(EVENT, "supply", TIME, commitments)


def test_a_salt_of_another_length_is_refused() -> None:
    with pytest.raises(LeafInvalid):
        commitment.commit(EVENT, "header", SALT[:-1], HEADER)


def test_every_other_spelling_of_a_leaf_is_refused() -> None:
    good = leaf()
    value = json.loads(good)
    extended = {**value, "subject": "rcp_1"}
    for mangled in (
        good + b"\n",
        b" " + good,
        json.dumps(value).encode(),
        canonical.dumps(extended),
        canonical.dumps({**value, "time": "2026-13-23T10:00:00.999Z"}),
        canonical.dumps({**value, "time": "2026-11-23T10:00:00.999+00:00"}),
        canonical.dumps({**value, "source": "supply"}),
        canonical.dumps({**value, "type": "yirong.event.v2"}),
        canonical.dumps({**value, "data": {"sections": {"header": 5}}}),
        canonical.dumps({key: item for key, item in value.items() if key != "data"}),
        b"[]",
        b"",
    ):
        with pytest.raises(LeafInvalid):
            commitment.parse_leaf(mangled)


def test_every_changed_byte_of_a_leaf_is_another_leaf_or_none() -> None:
    good = leaf()
    for at in range(len(good)):
        mangled = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
        try:
            assert commitment.parse_leaf(mangled) != commitment.parse_leaf(good)
        except LeafInvalid:
            continue


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(max_codepoint=127)), inner),
    max_leaves=20,
)


@given(VALUES)
def test_canonical_bytes_are_read_back_as_the_same_value_and_sorted(value: Value) -> None:
    data = canonical.dumps(value)
    assert canonical.loads(data) == value
    assert data == json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        0.5,
        float("nan"),
        2**53,
        -(2**53),
        "\ud800",
        "a\udfffb",
        {"金额": 1},
        {1: "a"},
        {"\ud800": 1},
        [{"a": [1.5]}],
        (1, 2),
        b"bytes",
        datetime(2026, 1, 1),
        {"a": {1, 2}},
    ],
)
def test_values_without_one_canonical_form_are_refused(value: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical.dumps(value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a": 1}',
        b"1.0",
        b"1e3",
        b"-0",
        b"01",
        b"9007199254740992",
        b"1" * 5000,
        b"NaN",
        b"Infinity",
        b'"\\u0041"',
        b'"\\/"',
        b'"\\ud800"',
        b'"\xff"',
        b"\xef\xbb\xbf1",
        b"1\n",
        b"[" * 100_000,
        b"[" * 70 + b"]" * 70,
        '{"é":1}'.encode(),
    ],
)
def test_bytes_that_are_not_canonical_are_refused(data: bytes) -> None:
    with pytest.raises(NotCanonical):
        canonical.loads(data)


def test_a_refused_value_is_named_by_its_place() -> None:
    with pytest.raises(NotCanonical, match=r"\$\.lines\[1\]\.quantity is a float"):
        canonical.dumps({"lines": [{"quantity": "1.000"}, {"quantity": 1.5}]})  # type: ignore[dict-item]


def test_the_event_of_an_entry_is_told_without_the_rest_of_it() -> None:
    assert commitment.event_id_of(leaf()) == EVENT
    refused: list[bytes] = [b"", b"[]", b'{"id":7}', b'{"id":"x"}', b"\xff", b"[" * 60_000]
    for entry in refused:
        with pytest.raises(LeafInvalid):
            commitment.event_id_of(entry)
