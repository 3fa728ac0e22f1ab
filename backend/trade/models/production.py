from django.db import models
from django.db.models import Q

from backend.core.fields import QuantityField
from backend.core.ids import new_id
from backend.parties.models import Member, Organisation
from backend.trade.models.orders import OrderLine, PurchaseOrder


class ProductionState(models.TextChoices):
    PLANNED = "PLANNED"
    STARTED = "STARTED"
    PRODUCED = "PRODUCED"
    QC_PASSED = "QC_PASSED"
    QC_FAILED = "QC_FAILED"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"


PRODUCTION_TRANSITIONS: dict[str, dict[str, str]] = {
    "start": {ProductionState.PLANNED: ProductionState.STARTED},
    "produce": {ProductionState.STARTED: ProductionState.PRODUCED},
    "pass": {ProductionState.PRODUCED: ProductionState.QC_PASSED},
    "fail": {ProductionState.PRODUCED: ProductionState.QC_FAILED},
    "close": dict.fromkeys((ProductionState.QC_PASSED, ProductionState.QC_FAILED), ProductionState.CLOSED),
    "cancel": dict.fromkeys((ProductionState.PLANNED, ProductionState.STARTED), ProductionState.CANCELLED),
}


class ProductionOrder(models.Model):
    """A lot that a factory makes for one line of an order it took (CBV BTT-prodorder; EPCIS commissioning)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    production_no = models.CharField(max_length=64)
    production_key = models.CharField(max_length=64)
    factory = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="productions")
    order = models.ForeignKey(PurchaseOrder, on_delete=models.PROTECT, related_name="productions")
    # the version of the order that it was planned under
    order_version = models.PositiveIntegerField(default=1)
    order_line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="productions")
    version = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=9, choices=ProductionState.choices, default=ProductionState.PLANNED)
    gtin = models.CharField(max_length=14, blank=True)
    lot = models.CharField(max_length=64)
    planned_quantity = QuantityField()
    produced_quantity = QuantityField(default=0)
    passed_quantity = QuantityField(default=0)
    planned_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    planned_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    tested_at = models.DateTimeField(null=True)
    cancellation_reason = models.CharField(max_length=500, blank=True)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["factory", "production_key"], name="production_no_once_a_factory"),
            models.CheckConstraint(condition=Q(planned_quantity__gt=0), name="production_plans_something"),
            models.CheckConstraint(
                condition=Q(produced_quantity__gte=0, passed_quantity__gte=0)
                & Q(passed_quantity__lte=models.F("produced_quantity")),
                name="production_passes_what_it_made",
            ),
        ]
