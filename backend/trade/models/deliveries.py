from django.db import models
from django.db.models import F, Q

from backend.core import clock
from backend.core.fields import QuantityField
from backend.core.ids import new_id
from backend.parties.models import Device, Member, Organisation
from backend.trade.models.orders import OrderLine, PurchaseOrder
from backend.trade.models.places import PlaceFacts
from backend.trade.models.production import ProductionOrder


class DespatchState(models.TextChoices):
    DESPATCHED = "DESPATCHED"
    IN_TRANSIT = "IN_TRANSIT"
    ARRIVED = "ARRIVED"
    RECEIVED = "RECEIVED"
    PART_RECEIVED = "PART_RECEIVED"
    RETURNED = "RETURNED"


class ReceiptState(models.TextChoices):
    SIGNED = "SIGNED"
    SIGNED_WITH_EXCEPTION = "SIGNED_WITH_EXCEPTION"
    REJECTED = "REJECTED"


OPEN_DESPATCH = (DespatchState.DESPATCHED, DespatchState.IN_TRANSIT, DespatchState.ARRIVED)
DESPATCH_TRANSITIONS: dict[str, dict[str, str]] = {
    "pick_up": {DespatchState.DESPATCHED: DespatchState.IN_TRANSIT},
    "arrive": {DespatchState.IN_TRANSIT: DespatchState.ARRIVED},
    "receive": dict.fromkeys(OPEN_DESPATCH, DespatchState.RECEIVED),
    "receive_part": dict.fromkeys(OPEN_DESPATCH, DespatchState.PART_RECEIVED),
    "return": dict.fromkeys(OPEN_DESPATCH, DespatchState.RETURNED),
}


class RejectReason(models.TextChoices):
    DAMAGED = "DAMAGED"
    WRONG_ITEM = "WRONG_ITEM"
    QUALITY = "QUALITY"
    EXPIRED = "EXPIRED"
    OTHER = "OTHER"


class Despatch(models.Model):
    """What left the seller for the buyer under one order (UBL DespatchAdvice), with whom it travels."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    despatch_no = models.CharField(max_length=64)
    despatch_key = models.CharField(max_length=64)
    order = models.ForeignKey(PurchaseOrder, on_delete=models.PROTECT, related_name="despatches")
    # the version of the order that it was sent under: an amendment agreed meanwhile changes nothing about what is on the way
    order_version = models.PositiveIntegerField(default=1)
    seller = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="despatches")
    # back-to-back: the order of the seller's own customer, to whom these goods go directly and who signs for them
    end_order = models.ForeignKey(
        PurchaseOrder, on_delete=models.PROTECT, null=True, blank=True, related_name="direct_despatches"
    )
    end_version = models.PositiveIntegerField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=13, choices=DespatchState.choices, default=DespatchState.DESPATCHED)
    carrier = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="carriages")
    driver = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="trips")
    plate_no = models.CharField(max_length=16, blank=True)
    waybill_no = models.CharField(max_length=64, blank=True)
    packages = models.PositiveIntegerField(default=0)
    digest = models.CharField(max_length=64)
    despatched_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    despatched_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seller", "despatch_key"], name="despatch_no_once_a_seller")]

    @property
    def receiving_order(self) -> PurchaseOrder:
        """The order whose buyer receives the goods and signs for them."""
        return self.end_order or self.order

    @property
    def receiving_version(self) -> int:
        """The version of that order under which the goods were sent."""
        return self.end_version or self.order_version


class DespatchLine(models.Model):
    despatch = models.ForeignKey(Despatch, on_delete=models.PROTECT, related_name="lines")
    despatch_line = models.CharField(max_length=16)
    order_line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="despatch_lines")
    end_line = models.ForeignKey(
        OrderLine, on_delete=models.PROTECT, null=True, blank=True, related_name="direct_despatch_lines"
    )
    # as that version of the order has it; what is received of these goods is owed at this price
    unit_price = models.CharField(max_length=32)
    end_unit_price = models.CharField(max_length=32, blank=True, default="")
    quantity = QuantityField()
    lot = models.CharField(max_length=64, blank=True)
    production = models.ForeignKey(
        ProductionOrder, on_delete=models.PROTECT, null=True, blank=True, related_name="despatch_lines"
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["despatch", "despatch_line"], name="line_once_a_despatch"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="despatch_line_quantity_positive"),
        ]

    @property
    def receiving_line(self) -> OrderLine:
        """The line of the receiving buyer's order."""
        return self.end_line or self.order_line

    @property
    def receiving_price(self) -> str:
        """What that buyer pays for one unit, at the version sent under."""
        return self.end_unit_price or self.unit_price


class DirectLine(models.Model):
    """Back-to-back: a despatch line counts for the line of an order above its own too. One row for each order up to where the goods go."""

    despatch_line = models.ForeignKey(DespatchLine, on_delete=models.PROTECT, related_name="direct_lines")
    order_line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="direct_lines")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["despatch_line", "order_line"], name="direct_line_once_an_order_line")
        ]


class Milestone(PlaceFacts):
    """The driver picked up, or arrived (UBL TransportationStatus)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    despatch = models.ForeignKey(Despatch, on_delete=models.PROTECT, related_name="milestones")
    kind = models.CharField(max_length=9, choices=[("PICKED_UP", "PICKED_UP"), ("ARRIVED", "ARRIVED")])
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+")
    captured_at = models.DateTimeField()
    received_at = models.DateTimeField(default=clock.now)
    event_id = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["despatch", "kind"], name="milestone_once_a_despatch")]


class Receipt(PlaceFacts):
    """What the buyer signed for (UBL ReceiptAdvice). At most one a despatch: whoever signs first."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    receipt_no = models.CharField(max_length=64)
    order = models.ForeignKey(PurchaseOrder, on_delete=models.PROTECT, related_name="receipts")
    despatch = models.OneToOneField(Despatch, on_delete=models.PROTECT, related_name="receipt")
    version = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=21, choices=ReceiptState.choices)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="receipts")
    signer_member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="receipts")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="receipts")
    assurance = models.CharField(max_length=2)
    total_fen = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    captured_at = models.DateTimeField()
    signed_at = models.DateTimeField()


class ReceiptLine(models.Model):
    """received + short = despatched + oversupply; accepted = received - rejected - oversupply."""

    receipt = models.ForeignKey(Receipt, on_delete=models.PROTECT, related_name="lines")
    despatch_line = models.ForeignKey(DespatchLine, on_delete=models.PROTECT, related_name="receipt_lines")
    received_quantity = QuantityField()
    accepted_quantity = QuantityField()
    short_quantity = QuantityField()
    rejected_quantity = QuantityField()
    reject_reason = models.CharField(max_length=10, choices=RejectReason.choices, blank=True)
    oversupply_quantity = QuantityField()
    amount_fen = models.BigIntegerField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["receipt", "despatch_line"], name="line_once_a_receipt"),
            models.CheckConstraint(
                condition=Q(
                    accepted_quantity=F("received_quantity") - F("rejected_quantity") - F("oversupply_quantity")
                ),
                name="receipt_line_accepted_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(
                    accepted_quantity__gte=0,
                    short_quantity__gte=0,
                    rejected_quantity__gte=0,
                    oversupply_quantity__gte=0,
                ),
                name="receipt_line_not_negative",
            ),
        ]
