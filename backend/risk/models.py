"""Signals, and the alerts they add up to.

A signal is one rule's hit on one event. An alert is what people look at: as long as one with a key is open, every further signal of that
key counts on it instead of making a second one.
"""

from django.db import models
from django.db.models import Q

from backend.core import clock
from backend.core.ids import new_id
from backend.core.models import Event
from backend.parties.models import Member, Organisation
from backend.trade.models import PurchaseOrder


class Severity(models.TextChoices):
    """How soon somebody must look. The texts order by urgency: P1 sorts before P4."""

    P1 = "P1", "阻断 Block and page"
    P2 = "P2", "暂缓 Hold for review"
    P3 = "P3", "复核 Review"
    P4 = "P4", "备注 Note"


class AlertState(models.TextChoices):
    NEW = "NEW", "待处理 New"
    ACKED = "ACKED", "已确认 Acknowledged"
    CLOSED = "CLOSED", "已关闭 Closed"


OPEN_STATES = (AlertState.NEW, AlertState.ACKED)


class Alert(models.Model):
    """A finding that people must see: what was found, how urgent, how often, who may know, who has looked.

    The reason is kept as the rule's band and its values; the sentences are the rule's. `entitled` are the endangered counterparties,
    `suspected` the members whose acts are in question: they see nothing of it, whatever organisation they act for.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rule = models.CharField(max_length=8)
    rule_version = models.PositiveSmallIntegerField()
    band = models.CharField(max_length=8)
    severity = models.CharField(max_length=2, choices=Severity.choices)
    key = models.CharField(max_length=128)
    state = models.CharField(max_length=8, choices=AlertState.choices, default=AlertState.NEW)
    values = models.JSONField(default=dict)
    simulated = models.BooleanField(default=False)
    subject_type = models.CharField(max_length=16)
    subject_id = models.UUIDField(null=True)
    order = models.ForeignKey(PurchaseOrder, on_delete=models.PROTECT, null=True, related_name="alerts")
    entitled = models.ManyToManyField(Organisation, related_name="alerts")
    suspected = models.ManyToManyField(Member, related_name="+")
    occurrences = models.PositiveIntegerField(default=1)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)
    event_id = models.UUIDField()
    acknowledged_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    acknowledged_at = models.DateTimeField(null=True)
    acknowledgement = models.CharField(max_length=1000, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=Q(state__in=OPEN_STATES), name="alert_open_once_a_key"),
            models.CheckConstraint(
                condition=~Q(state=AlertState.ACKED) | Q(acknowledged_by__isnull=False, acknowledged_at__isnull=False),
                name="alert_acknowledged_by_somebody",
            ),
        ]
        indexes = [models.Index(fields=["state", "severity", "first_seen"])]


class Signal(models.Model):
    """One rule's hit on one event under one key, counted once however often the event is handled. A rule in shadow has signals without an alert."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rule = models.CharField(max_length=8)
    rule_version = models.PositiveSmallIntegerField()
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=128)
    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, null=True, related_name="signals")
    band = models.CharField(max_length=8)
    severity = models.CharField(max_length=2, choices=Severity.choices)
    values = models.JSONField(default=dict)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "event", "key"], name="signal_once_a_rule_event_and_key")
        ]
