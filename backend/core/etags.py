"""Which version of a thing a writer saw: given as ETag with each read, named as If-Match with an edit."""

import re

from rest_framework.request import Request

from backend.core.errors import Malformed

TAG = re.compile(r'"([1-9][0-9]{0,8})"')


def etag(version: int) -> str:
    """The version as a strong ETag (RFC 9110, 8.8.3)."""
    return f'"{version}"'


def expected_version(request: Request) -> int | None:
    """The version that the request rests on; None when it names none. Raises Malformed for what no ETag said."""
    tag = request.headers.get("If-Match", "")
    if not tag:
        return None
    found = TAG.fullmatch(tag)
    if found is None:
        raise Malformed("If-Match is the ETag that a read gave.", field="If-Match")
    return int(found[1])
