import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from backend.ledger import canonical
from backend.ledger.errors import NotCanonical

KEYS = st.text(st.characters(max_codepoint=127), max_size=6)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


@given(VALUES)
def test_the_form_is_the_one_of_rfc_8785(value: canonical.Value) -> None:
    assert canonical.dumps(value) == rfc8785.dumps(value)


@given(VALUES)
def test_what_was_written_reads_back(value: canonical.Value) -> None:
    assert canonical.loads(canonical.dumps(value)) == value


@pytest.mark.parametrize("character", [chr(point) for point in (*range(0x20), 0x22, 0x5C, 0x2F, 0x7F, 0x2028, 0x1F600)])
def test_each_character_that_json_may_escape_is_written_as_rfc_8785_writes_it(character: str) -> None:
    assert canonical.dumps(character) == rfc8785.dumps(character)


@pytest.mark.parametrize(
    "text", ['{"b":1,"a":2}', '{"a": 1}', '"\\u0061"', "1.0", "1e3", "-0", '{"a":1,"a":1}', "9007199254740992"]
)
def test_another_spelling_is_refused(text: str) -> None:
    json.loads(text)
    with pytest.raises(NotCanonical):
        canonical.loads(text.encode())
