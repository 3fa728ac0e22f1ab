from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.urls import path
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field, inline_serializer
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.core import clock
from backend.core.errors import NotFound
from backend.core.idempotency import idempotent
from backend.core.ids import from_typeid, typed
from backend.parties.auth import actor
from backend.risk import selectors, services
from backend.risk.models import Alert, AlertState, Severity, Signal
from backend.risk.rules import RULES, reason

SIGNALS_SHOWN = 50
TEXT = inline_serializer("RiskText", {"zh": serializers.CharField(), "en": serializers.CharField()})


class MomentField(serializers.DateTimeField):
    """UTC on the wire, whatever zone pages are shown in."""

    def to_representation(self, value: datetime) -> str:
        return clock.rfc3339(value)


class AlertSerializer(serializers.ModelSerializer):
    """An alert as its watchers see it: why, as a sentence in both languages; how often; who has looked."""

    id = serializers.SerializerMethodField()
    title = serializers.SerializerMethodField()
    reason = serializers.SerializerMethodField()
    subject = serializers.SerializerMethodField()
    first_seen = MomentField()
    last_seen = MomentField()
    order = serializers.SerializerMethodField()
    event = serializers.SerializerMethodField(
        help_text="the event that raised it: its place in the ledger is asked for there"
    )
    acknowledgement = serializers.SerializerMethodField()

    class Meta:
        model = Alert
        fields = (
            "id",
            "rule",
            "rule_version",
            "title",
            "severity",
            "state",
            "band",
            "reason",
            "values",
            "subject",
            "order",
            "occurrences",
            "first_seen",
            "last_seen",
            "simulated",
            "version",
            "event",
            "acknowledgement",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.CharField())
    def get_id(self, alert: Alert) -> str:
        return typed("alert", alert.id)

    @extend_schema_field(TEXT)
    def get_title(self, alert: Alert) -> dict[str, str]:
        return {"zh": RULES[alert.rule].zh, "en": RULES[alert.rule].en}

    @extend_schema_field(TEXT)
    def get_reason(self, alert: Alert) -> dict[str, str]:
        return reason(alert.band, alert.values)

    @extend_schema_field(
        inline_serializer(
            "AlertSubject",
            {
                "type": serializers.CharField(),
                "id": serializers.CharField(allow_null=True),
                "name": serializers.CharField(),
            },
        )
    )
    def get_subject(self, alert: Alert) -> dict[str, Any]:
        names = self.context["subject_names"]
        identity = typed(alert.subject_type, alert.subject_id) if alert.subject_id else None
        return {"type": alert.subject_type, "id": identity, "name": names.get(alert.subject_id, "")}

    @extend_schema_field(
        inline_serializer(
            "AlertOrder", {"id": serializers.CharField(), "order_no": serializers.CharField()}, allow_null=True
        )
    )
    def get_order(self, alert: Alert) -> dict[str, str] | None:
        return {"id": typed("order", alert.order.id), "order_no": alert.order.order_no} if alert.order else None

    def get_event(self, alert: Alert) -> str:
        return typed("event", alert.event_id)

    @extend_schema_field(
        inline_serializer(
            "AlertAcknowledgement",
            {
                "member": serializers.CharField(),
                "name": serializers.CharField(),
                "organisation": serializers.CharField(),
                "at": serializers.DateTimeField(),
                "note": serializers.CharField(),
            },
            allow_null=True,
        )
    )
    def get_acknowledgement(self, alert: Alert) -> dict[str, Any] | None:
        member = alert.acknowledged_by
        if member is None or alert.acknowledged_at is None:
            return None
        return {
            "member": typed("member", member.id),
            "name": member.person.name,
            "organisation": member.organisation.name,
            "at": clock.rfc3339(alert.acknowledged_at),
            "note": alert.acknowledgement,
        }


class SignalSerializer(serializers.ModelSerializer):
    """One hit: when, how severe, why, and the event it was found in."""

    at = MomentField()
    event = serializers.SerializerMethodField()
    reason = serializers.SerializerMethodField()

    class Meta:
        model = Signal
        fields = ("at", "severity", "band", "reason", "event")
        read_only_fields = fields

    def get_event(self, signal: Signal) -> str:
        return typed("event", signal.event_id)

    @extend_schema_field(TEXT)
    def get_reason(self, signal: Signal) -> dict[str, str]:
        return reason(signal.band, signal.values)


class AlertDetailSerializer(AlertSerializer):
    """An alert with its newest hits, at most 50."""

    signals = serializers.SerializerMethodField()

    class Meta:
        model = Alert
        fields = (*AlertSerializer.Meta.fields, "signals")
        read_only_fields = fields

    @extend_schema_field(SignalSerializer(many=True))
    def get_signals(self, alert: Alert) -> Any:
        return SignalSerializer(alert.signals.order_by("-at", "-id")[:SIGNALS_SHOWN], many=True).data


class AlertFilter(filters.FilterSet):
    """By state, severity, rule and order; several of a kind by repeating it."""

    state = filters.MultipleChoiceFilter(choices=AlertState.choices)
    severity = filters.MultipleChoiceFilter(choices=Severity.choices)
    rule = filters.MultipleChoiceFilter(choices=[(rule, rule) for rule in RULES])
    order = filters.CharFilter(method="of_order", help_text="an order's id: `ord_...`")

    class Meta:
        model = Alert
        fields = ("state", "severity", "rule", "order")

    def of_order(self, alerts: QuerySet[Alert], name: str, value: str) -> QuerySet[Alert]:
        try:
            return alerts.filter(order=from_typeid("ord", value))
        except NotFound:
            return alerts.none()


class AlertList(ListAPIView):
    """The alerts that the caller may see, newest first: the operator's risk officers all, an endangered party its own."""

    serializer_class = AlertSerializer
    filter_backends = [filters.DjangoFilterBackend]
    filterset_class = AlertFilter
    queryset = Alert.objects.none()

    def get_queryset(self) -> QuerySet[Alert]:
        return selectors.visible_alerts(actor(self.request))

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(_shown(page or []))


class AlertDetail(APIView):
    @extend_schema(responses=AlertDetailSerializer)
    def get(self, request: Request, alert: str) -> Response:
        """One alert with its newest hits. What the caller may not see looks like what is not there."""
        found = selectors.visible_alerts(actor(request)).filter(id=from_typeid("alr", alert)).first()
        if found is None:
            raise NotFound()
        return Response(AlertDetailSerializer(found, context={"subject_names": selectors.subject_names([found])}).data)


class AcknowledgementSerializer(serializers.Serializer):
    note = serializers.CharField(max_length=1000)


class Acknowledgement(APIView):
    @extend_schema(request=AcknowledgementSerializer, responses=AlertSerializer)
    @idempotent
    def post(self, request: Request, alert: str) -> Response:
        """Somebody looked: recorded once, with who, when and a note. 409 `alert-acknowledged` when somebody was first."""
        given = AcknowledgementSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        acknowledged = services.acknowledge_alert(
            by=actor(request), alert_id=from_typeid("alr", alert), note=given.validated_data["note"]
        )
        return Response(_shown([acknowledged])[0])


def _shown(alerts: list[Alert]) -> Any:
    return AlertSerializer(alerts, many=True, context={"subject_names": selectors.subject_names(alerts)}).data


urlpatterns = [
    path("alerts/", AlertList.as_view(), name="alerts"),
    path("alerts/<str:alert>/", AlertDetail.as_view(), name="alert"),
    path("alerts/<str:alert>/acknowledgement", Acknowledgement.as_view(), name="alert-acknowledgement"),
]
