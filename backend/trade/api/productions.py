from typing import Any

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.core.errors import Malformed
from backend.core.etags import etag, expected_version
from backend.core.events import Actor
from backend.core.idempotency import idempotent
from backend.core.ids import from_typeid
from backend.core.paging import CursorPage
from backend.parties.auth import actor
from backend.trade import answers, rendering, selectors, serializers, services
from backend.trade.models import ProductionOrder, ProductionState

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="the ETag of the version that this rests on"
)


def _production(production: ProductionOrder, by: Actor, status: int = 200) -> Response:
    found = selectors.find_production(by, production.id)
    return Response(rendering.production_body(found, by), status=status, headers={"ETag": etag(found.version)})


class Productions(APIView):
    """Production orders: what a factory makes for the orders it took."""

    @extend_schema(
        operation_id="productions_list",
        parameters=[
            OpenApiParameter("state", enum=ProductionState.values),
            OpenApiParameter("cursor"),
            OpenApiParameter("limit", int),
        ],
        responses=answers.ProductionsAnswer,
    )
    def get(self, request: Request) -> Response:
        rows, state = selectors.productions(actor(request)), request.query_params.get("state")
        if state and state not in ProductionState.values:
            raise Malformed(f"state is one of {', '.join(ProductionState.values)}.", field="state")
        pages = CursorPage()
        page: list[Any] | None = pages.paginate_queryset(rows.filter(state=state) if state else rows, request, self)
        return pages.get_paginated_response([rendering.production_summary(row) for row in page or ()])

    @extend_schema(
        operation_id="productions_plan",
        request=serializers.NewProductionSerializer,
        responses={201: answers.ProductionAnswer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        by = actor(request)
        checked = serializers.read(serializers.NewProductionSerializer, request.data)
        return _production(services.plan_production(by=by, order_id=checked.pop("order"), **checked), by, 201)


class Production(APIView):
    """One production order."""

    @extend_schema(operation_id="productions_read", responses=answers.ProductionAnswer)
    def get(self, request: Request, production: str) -> Response:
        by = actor(request)
        return _production(selectors.find_production(by, from_typeid("prd", production)), by)


class ProductionStart(APIView):
    """Work on the lot began."""

    @extend_schema(
        operation_id="productions_start",
        parameters=[IF_MATCH],
        request=serializers.ProductionStartSerializer,
        responses={201: answers.ProductionAnswer},
    )
    @idempotent
    def post(self, request: Request, production: str) -> Response:
        by = actor(request)
        checked = serializers.read(serializers.ProductionStartSerializer, request.data)
        return _production(services.start_production(by=by, **_of(request, production), **checked), by, 201)


class ProductionOutput(APIView):
    """The lot is made: how many it became."""

    @extend_schema(
        operation_id="productions_report",
        parameters=[IF_MATCH],
        request=serializers.ProductionOutputSerializer,
        responses={201: answers.ProductionAnswer},
    )
    @idempotent
    def post(self, request: Request, production: str) -> Response:
        by = actor(request)
        checked = serializers.read(serializers.ProductionOutputSerializer, request.data)
        return _production(services.report_production(by=by, **_of(request, production), **checked), by, 201)


class ProductionQuality(APIView):
    """How many of the lot passed the quality inspection."""

    @extend_schema(
        operation_id="productions_test",
        parameters=[IF_MATCH],
        request=serializers.ProductionQualitySerializer,
        responses={201: answers.ProductionAnswer},
    )
    @idempotent
    def post(self, request: Request, production: str) -> Response:
        by = actor(request)
        checked = serializers.read(serializers.ProductionQualitySerializer, request.data)
        return _production(services.test_production(by=by, **_of(request, production), **checked), by, 201)


class ProductionClosure(APIView):
    """Nothing more is to be said of the lot."""

    @extend_schema(
        operation_id="productions_close",
        parameters=[IF_MATCH],
        request=None,
        responses={201: answers.ProductionAnswer},
    )
    @idempotent
    def post(self, request: Request, production: str) -> Response:
        by = actor(request)
        return _production(services.close_production(by=by, **_of(request, production)), by, 201)


class ProductionCancellation(APIView):
    """The lot is not made after all; only before it is produced."""

    @extend_schema(
        operation_id="productions_cancel",
        parameters=[IF_MATCH],
        request=serializers.RejectionSerializer,
        responses={201: answers.ProductionAnswer},
    )
    @idempotent
    def post(self, request: Request, production: str) -> Response:
        by = actor(request)
        reason = serializers.read(serializers.RejectionSerializer, request.data)["reason"]
        return _production(services.cancel_production(by=by, **_of(request, production), reason=reason), by, 201)


def _of(request: Request, production: str) -> dict[str, Any]:
    """Which lot, and which version of it the caller saw."""
    return {"production_id": from_typeid("prd", production), "expected_version": expected_version(request)}


urlpatterns = [
    path("productions/", Productions.as_view()),
    path("productions/<str:production>/", Production.as_view()),
    path("productions/<str:production>/start", ProductionStart.as_view()),
    path("productions/<str:production>/output", ProductionOutput.as_view()),
    path("productions/<str:production>/quality", ProductionQuality.as_view()),
    path("productions/<str:production>/closure", ProductionClosure.as_view()),
    path("productions/<str:production>/cancellation", ProductionCancellation.as_view()),
]
