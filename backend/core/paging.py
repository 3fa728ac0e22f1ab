from typing import Any
from uuid import UUID

from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from backend.core.errors import Malformed


class CursorPage(CursorPagination):
    """Lists by cursor, newest first: 50 a page, 200 at most. Raises Malformed for a cursor that no list gave."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"
    ordering = "-id"

    def decode_cursor(self, request: Request) -> Any:
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            try:
                UUID(str(cursor.position))
            except ValueError:
                raise Malformed("Not a cursor that a list gave.", field="cursor") from None
        return cursor
