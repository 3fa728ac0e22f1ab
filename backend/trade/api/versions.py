from typing import Any

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.core.ids import from_typeid
from backend.core.paging import CursorPage
from backend.parties.auth import actor
from backend.trade import answers, rendering, selectors


class OrderVersions(APIView):
    """Every version of every document of an order, as each stood, newest first."""

    @extend_schema(
        operation_id="orders_versions",
        parameters=[OpenApiParameter("cursor"), OpenApiParameter("limit", int)],
        responses=answers.VersionsAnswer,
    )
    def get(self, request: Request, order: str) -> Response:
        pages = CursorPage()
        rows = selectors.versions(actor(request), from_typeid("ord", order))
        page: list[Any] | None = pages.paginate_queryset(rows, request, self)
        return pages.get_paginated_response(rendering.version_bodies(page or ()))


urlpatterns = [path("orders/<str:order>/versions", OrderVersions.as_view())]
