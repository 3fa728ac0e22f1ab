from collections.abc import Iterator, Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class PlainJSONParser(JSONParser):
    """JSON that a database can keep. Refuses (400) what nests too deeply to be read, NUL, and halves of surrogate pairs."""

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """As rest_framework.parsers.JSONParser."""
        try:
            body = super().parse(stream, media_type, parser_context)
            if any(not _storable(text) for text in _texts(body)):
                raise ParseError("JSON parse error - a text holds NUL or half of a surrogate pair.")
        except RecursionError:
            raise ParseError("JSON parse error - nested too deeply.") from None
        return body


def _texts(value: Any) -> Iterator[str]:
    """Every text in it, names included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield name
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _storable(text: str) -> bool:
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False
