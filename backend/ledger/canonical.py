"""Canonical JSON: the part of RFC 8785 in which every language agrees.

Strings, booleans, null, arrays, objects, and integers below 2**53. No floats: their text differs between languages, so
amounts, quantities and coordinates are strings with a fixed number of decimals. Keys are ASCII, because implementations
sort other keys differently. A string with half a surrogate pair has no UTF-8 and is refused.
"""

from __future__ import annotations

import json
from typing import NoReturn

from backend.ledger.errors import NotCanonical

Value = None | bool | int | str | list["Value"] | dict[str, "Value"]

INTEGER_LIMIT = 2**53
DEPTH_LIMIT = 64
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def dumps(value: Value) -> bytes:
    """The one canonical form of the value, in UTF-8. Raises NotCanonical, naming the place."""
    _check(value, "$", DEPTH_LIMIT)
    # Of the values that pass the check, the standard library writes what RFC 8785 asks for: a test holds it against an implementation of that.
    return _ENCODER.encode(value).encode()


def loads(data: bytes) -> Value:
    """The value of bytes that are exactly its canonical form. Raises NotCanonical for every other spelling, for
    repeated keys, and for whatever `dumps` refuses."""
    try:
        value: Value = json.loads(data.decode("utf-8"), parse_float=_refuse_float, parse_constant=_refuse_float)
    except NotCanonical:
        raise
    except RecursionError as error:
        raise NotCanonical("nested too deeply") from error
    except ValueError as error:
        raise NotCanonical(f"not JSON in UTF-8: {error}") from error
    if dumps(value) != data:
        raise NotCanonical("not in canonical form")
    return value


def _refuse_float(text: str) -> NoReturn:
    raise NotCanonical(f"{text[:40]} is not an integer")


def _check(value: object, place: str, depth: int) -> None:
    if depth == 0:
        raise NotCanonical(f"{place} is nested too deeply")
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        _check_text(value, place)
    elif isinstance(value, int):
        if not -INTEGER_LIMIT < value < INTEGER_LIMIT:
            raise NotCanonical(f"{place} is not below 2**53")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _check(item, f"{place}[{number}]", depth - 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise NotCanonical(f"{place} has a key that is not ASCII text")
            _check(item, f"{place}.{key}", depth - 1)
    else:
        raise NotCanonical(f"{place} is a {type(value).__name__}")


def _check_text(text: str, place: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotCanonical(f"{place} holds half a surrogate pair") from error
