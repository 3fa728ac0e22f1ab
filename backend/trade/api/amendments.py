from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.core.events import Actor
from backend.core.idempotency import idempotent
from backend.core.ids import from_typeid
from backend.parties.auth import actor
from backend.trade import answers, rendering, selectors, serializers, services
from backend.trade.models import OrderAmendment


def _key(request: Request) -> str:
    return request.headers["Idempotency-Key"]


def _amendment(amendment: OrderAmendment, by: Actor, status: int = 200) -> Response:
    return Response(rendering.amendment_body(selectors.find_amendment(by, amendment.id), by), status=status)


class Amendments(APIView):
    """One party proposes to change a confirmed order, or to cancel it, and signs that with the device key."""

    @extend_schema(
        operation_id="amendments_propose",
        request=serializers.NewAmendmentSerializer,
        responses={201: answers.AmendmentAnswer},
    )
    @idempotent
    def post(self, request: Request, order: str) -> Response:
        by = actor(request)
        checked = serializers.read(serializers.NewAmendmentSerializer, request.data)
        amendment = services.propose_amendment(
            by=by,
            order_id=from_typeid("ord", order),
            kind=checked["kind"],
            reason=checked["reason"],
            lines=[services.LineTerms(**line) for line in checked["lines"]],
            act=serializers.signed_act(serializers.NewAmendmentSerializer, request.data),
            client_event_id=_key(request),
        )
        return _amendment(amendment, by, 201)


class Amendment(APIView):
    """A proposed change: the order as it will be, and what differs line by line."""

    @extend_schema(operation_id="amendments_read", responses=answers.AmendmentAnswer)
    def get(self, request: Request, amendment: str) -> Response:
        by = actor(request)
        return Response(rendering.amendment_body(selectors.find_amendment(by, from_typeid("amd", amendment)), by))


class AmendmentAgreement(APIView):
    """The other party signs the same document: the order becomes its next version, or is cancelled."""

    @extend_schema(
        operation_id="amendments_agree",
        request=serializers.SignedOrderActSerializer,
        responses={201: answers.AmendmentAnswer},
    )
    @idempotent
    def post(self, request: Request, amendment: str) -> Response:
        by = actor(request)
        act = serializers.signed_act(serializers.SignedOrderActSerializer, request.data)
        agreed = services.agree_amendment(
            by=by, amendment_id=from_typeid("amd", amendment), act=act, client_event_id=_key(request)
        )
        return _amendment(agreed, by, 201)


class AmendmentRefusal(APIView):
    """The other party refuses and says why."""

    @extend_schema(
        operation_id="amendments_refuse",
        request=serializers.RejectionSerializer,
        responses={201: answers.AmendmentAnswer},
    )
    @idempotent
    def post(self, request: Request, amendment: str) -> Response:
        by = actor(request)
        reason = serializers.read(serializers.RejectionSerializer, request.data)["reason"]
        refused = services.refuse_amendment(by=by, amendment_id=from_typeid("amd", amendment), reason=reason)
        return _amendment(refused, by, 201)


class AmendmentWithdrawal(APIView):
    """Whoever proposed it takes it back."""

    @extend_schema(operation_id="amendments_withdraw", request=None, responses={201: answers.AmendmentAnswer})
    @idempotent
    def post(self, request: Request, amendment: str) -> Response:
        by = actor(request)
        withdrawn = services.withdraw_amendment(by=by, amendment_id=from_typeid("amd", amendment))
        return _amendment(withdrawn, by, 201)


class OrderCancellation(APIView):
    """Whoever issued the order takes it back before the seller confirmed it; afterwards both sign an amendment of kind CANCEL."""

    @extend_schema(
        operation_id="orders_cancel", request=serializers.RejectionSerializer, responses={201: answers.OrderAnswer}
    )
    @idempotent
    def post(self, request: Request, order: str) -> Response:
        by: Any = actor(request)
        reason = serializers.read(serializers.RejectionSerializer, request.data)["reason"]
        cancelled = services.withdraw_order(by=by, order_id=from_typeid("ord", order), reason=reason)
        return Response(rendering.order_body(selectors.find_order(by, cancelled.id), by), status=201)


urlpatterns = [
    path("orders/<str:order>/amendments", Amendments.as_view()),
    path("orders/<str:order>/cancellation", OrderCancellation.as_view()),
    path("amendments/<str:amendment>/", Amendment.as_view()),
    path("amendments/<str:amendment>/agreement", AmendmentAgreement.as_view()),
    path("amendments/<str:amendment>/refusal", AmendmentRefusal.as_view()),
    path("amendments/<str:amendment>/withdrawal", AmendmentWithdrawal.as_view()),
]
