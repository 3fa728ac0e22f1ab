from typing import Any

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.core.errors import Malformed
from backend.core.idempotency import idempotent
from backend.core.ids import from_typeid
from backend.core.paging import CursorPage
from backend.parties.auth import actor
from backend.trade import answers, rendering, selectors, serializers, services, tracing
from backend.trade.models import DespatchState, OrderState, PurchaseOrder


def _key(request: Request) -> str:
    return request.headers["Idempotency-Key"]


def _in_state(rows: Any, request: Request, states: Any) -> Any:
    state = request.query_params.get("state")
    if not state:
        return rows
    if state not in states.values:
        raise Malformed(f"state is one of {', '.join(states.values)}.", field="state")
    return rows.filter(state=state)


class Tasks(APIView):
    """What waits for me."""

    @extend_schema(operation_id="tasks_list", responses=answers.TasksAnswer)
    def get(self, request: Request) -> Response:
        return Response({"results": selectors.tasks(actor(request))})


class Orders(APIView):
    """Purchase orders of the caller's organisation."""

    @extend_schema(
        operation_id="orders_list",
        parameters=[
            OpenApiParameter("state", enum=OrderState.values),
            OpenApiParameter("cursor"),
            OpenApiParameter("limit", int),
        ],
        responses=answers.OrdersAnswer,
    )
    def get(self, request: Request) -> Response:
        pages = CursorPage()
        page: list[Any] | None = pages.paginate_queryset(
            _in_state(selectors.orders(actor(request)), request, OrderState), request, self
        )
        return pages.get_paginated_response([rendering.order_summary(order) for order in page or ()])

    @extend_schema(
        operation_id="orders_issue", request=serializers.NewOrderSerializer, responses={201: answers.OrderAnswer}
    )
    @idempotent
    def post(self, request: Request) -> Response:
        by = actor(request)
        order = services.issue_order(by=by, **new_order(serializers.read(serializers.NewOrderSerializer, request.data)))
        return _order(order, by, 201)


def new_order(checked: dict[str, Any]) -> dict[str, Any]:
    """The arguments of services.issue_order from a validated NewOrderSerializer."""
    terms = checked.pop("payment_terms")
    return checked | {
        "lines": [services.LineTerms(**line) for line in checked["lines"]],
        "ship_to": services.ShipTo(**checked["ship_to"]),
        "payment_days": terms["days"],
        "payment_from": terms["starts"],
    }


def _order(order: PurchaseOrder, by: Any, status: int = 200) -> Response:
    return Response(rendering.order_body(selectors.find_order(by, order.id), by), status=status)


class Order(APIView):
    """One purchase order: the document that is signed, its digest, who signed, what may be done next."""

    @extend_schema(operation_id="orders_read", responses=answers.OrderAnswer)
    def get(self, request: Request, order: str) -> Response:
        by = actor(request)
        return Response(rendering.order_body(selectors.find_order(by, from_typeid("ord", order)), by))


class OrderSignature(APIView):
    """The buyer signs the order with the device key."""

    @extend_schema(
        operation_id="orders_sign", request=serializers.SignedOrderActSerializer, responses={201: answers.OrderAnswer}
    )
    @idempotent
    def post(self, request: Request, order: str) -> Response:
        by = actor(request)
        act = serializers.signed_act(serializers.SignedOrderActSerializer, request.data)
        signed = services.sign_order(by=by, order_id=from_typeid("ord", order), act=act, client_event_id=_key(request))
        return _order(signed, by, 201)


class OrderConfirmation(APIView):
    """The seller confirms, with the device key, the version that the buyer signed."""

    @extend_schema(
        operation_id="orders_confirm",
        request=serializers.SignedOrderActSerializer,
        responses={201: answers.OrderAnswer},
    )
    @idempotent
    def post(self, request: Request, order: str) -> Response:
        by = actor(request)
        act = serializers.signed_act(serializers.SignedOrderActSerializer, request.data)
        confirmed = services.confirm_order(
            by=by, order_id=from_typeid("ord", order), act=act, client_event_id=_key(request)
        )
        return _order(confirmed, by, 201)


class OrderRejection(APIView):
    """The buyer refuses the order and says why."""

    @extend_schema(
        operation_id="orders_reject", request=serializers.RejectionSerializer, responses={201: answers.OrderAnswer}
    )
    @idempotent
    def post(self, request: Request, order: str) -> Response:
        by = actor(request)
        checked = serializers.read(serializers.RejectionSerializer, request.data)
        return _order(
            services.reject_order(by=by, order_id=from_typeid("ord", order), reason=checked["reason"]), by, 201
        )


class Despatches(APIView):
    """Despatch advices of the caller's orders, or trips of a carrier."""

    @extend_schema(
        operation_id="despatches_list",
        parameters=[
            OpenApiParameter("state", enum=DespatchState.values),
            OpenApiParameter("cursor"),
            OpenApiParameter("limit", int),
        ],
        responses=answers.DespatchesAnswer,
    )
    def get(self, request: Request) -> Response:
        pages = CursorPage()
        by = actor(request)
        page: list[Any] | None = pages.paginate_queryset(
            _in_state(selectors.despatches(by), request, DespatchState), request, self
        )
        return pages.get_paginated_response([rendering.despatch_summary(despatch, by) for despatch in page or ()])

    @extend_schema(
        operation_id="despatches_send",
        request=serializers.NewDespatchSerializer,
        responses={201: answers.DespatchAnswer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        by = actor(request)
        checked = serializers.read(serializers.NewDespatchSerializer, request.data)
        lines = [services.DespatchTerms(**line) for line in checked.pop("lines")]
        despatch = services.despatch_goods(by=by, order_id=checked.pop("order"), lines=lines, **checked)
        return Response(rendering.despatch_body(selectors.find_despatch(by, despatch.id), by), status=201)


class Despatch(APIView):
    """One despatch advice, as its viewer may see it."""

    @extend_schema(operation_id="despatches_read", responses=answers.DespatchAnswer)
    def get(self, request: Request, despatch: str) -> Response:
        by = actor(request)
        return Response(rendering.despatch_body(selectors.find_despatch(by, from_typeid("dsp", despatch)), by))


class Milestones(APIView):
    """The driver reports having picked up or arrived."""

    @extend_schema(
        operation_id="despatches_report",
        request=serializers.MilestoneSerializer,
        responses={201: answers.DespatchAnswer},
    )
    @idempotent
    def post(self, request: Request, despatch: str) -> Response:
        by = actor(request)
        act = serializers.signed_act(serializers.MilestoneSerializer, request.data)
        despatch_id = from_typeid("dsp", despatch)
        services.report_milestone(by=by, despatch_id=despatch_id, kind=act.kind, act=act)
        return Response(rendering.despatch_body(selectors.find_despatch(by, despatch_id), by), status=201)


class Receipts(APIView):
    """Receipt advices of the caller's orders."""

    @extend_schema(
        operation_id="receipts_list",
        parameters=[OpenApiParameter("cursor"), OpenApiParameter("limit", int)],
        responses=answers.ReceiptsAnswer,
    )
    def get(self, request: Request) -> Response:
        pages = CursorPage()
        who = selectors.viewer(actor(request))
        page: list[Any] | None = pages.paginate_queryset(selectors.receipts(actor(request)), request, self)
        return pages.get_paginated_response([rendering.receipt_summary(receipt, who) for receipt in page or ()])

    @extend_schema(
        operation_id="receipts_sign",
        request=serializers.SignedReceiptActSerializer,
        responses={201: answers.ReceiptAnswer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        by = actor(request)
        act = serializers.signed_act(serializers.SignedReceiptActSerializer, request.data)
        despatch_id = from_typeid("dsp", act.signed["document"]["id"])
        signed = services.sign_receipt(by=by, despatch_id=despatch_id, act=act, client_event_id=_key(request))
        return Response(rendering.signed_receipt_body(signed, by), status=201)


class Receipt(APIView):
    """One receipt advice: the card its signer keeps."""

    @extend_schema(operation_id="receipts_read", responses=answers.ReceiptAnswer)
    def get(self, request: Request, receipt: str) -> Response:
        by = actor(request)
        return Response(rendering.receipt_body(selectors.find_receipt(by, from_typeid("rcp", receipt)), by))


class Carriers(APIView):
    """Carriers and their drivers, for a seller who sends goods off."""

    @extend_schema(operation_id="carriers_list", responses=answers.CarriersAnswer)
    def get(self, request: Request) -> Response:
        found = selectors.carriers(actor(request))[: selectors.CARRIERS_LIMIT]
        return Response({"results": [rendering.carrier_body(carrier) for carrier in found]})


class Trace(APIView):
    """A transaction from the order on: every event, who did it, where it stands in the ledger, and whether the rows still say what was anchored."""

    @extend_schema(operation_id="trace_read", responses=answers.TraceAnswer)
    def get(self, request: Request, buyer_uscc: str, order_no: str) -> Response:
        by = actor(request)
        return Response(tracing.trace(by, selectors.order_by_number(by, buyer_uscc, order_no)))


urlpatterns = [
    path("tasks/", Tasks.as_view()),
    path("orders/", Orders.as_view()),
    path("orders/<str:order>/", Order.as_view()),
    path("orders/<str:order>/signature", OrderSignature.as_view()),
    path("orders/<str:order>/confirmation", OrderConfirmation.as_view()),
    path("orders/<str:order>/rejection", OrderRejection.as_view()),
    path("despatches/", Despatches.as_view()),
    path("despatches/<str:despatch>/", Despatch.as_view()),
    path("despatches/<str:despatch>/milestones", Milestones.as_view()),
    path("receipts/", Receipts.as_view()),
    path("receipts/<str:receipt>/", Receipt.as_view()),
    path("carriers/", Carriers.as_view()),
    path("trace/<str:buyer_uscc>/<path:order_no>", Trace.as_view()),
]
