"""The documents of the supply chain: order, despatch advice, receipt advice; names after UBL.

Which state follows which stands in the three tables of transitions below, and nowhere else.
"""

from django.db import models
from django.db.models import F, Q

from backend.core import clock
from backend.core.fields import QuantityField
from backend.core.ids import new_id
from backend.parties.models import Device, Member, Organisation


class OrderState(models.TextChoices):
    ISSUED = "ISSUED"
    BUYER_SIGNED = "BUYER_SIGNED"
    CONFIRMED = "CONFIRMED"
    PART_DELIVERED = "PART_DELIVERED"
    DELIVERED = "DELIVERED"
    REJECTED = "REJECTED"


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


ORDER_TRANSITIONS: dict[str, dict[str, str]] = {
    "sign": {OrderState.ISSUED: OrderState.BUYER_SIGNED},
    "reject": {OrderState.ISSUED: OrderState.REJECTED},
    "confirm": {OrderState.BUYER_SIGNED: OrderState.CONFIRMED},
    "despatch": {state: state for state in (OrderState.CONFIRMED, OrderState.PART_DELIVERED)},
    "receive_none": {state: state for state in (OrderState.CONFIRMED, OrderState.PART_DELIVERED)},
    "receive_part": dict.fromkeys((OrderState.CONFIRMED, OrderState.PART_DELIVERED), OrderState.PART_DELIVERED),
    # what the tolerance allows beyond the order may still be on its way when the order is delivered
    "receive_all": dict.fromkeys(
        (OrderState.CONFIRMED, OrderState.PART_DELIVERED, OrderState.DELIVERED), OrderState.DELIVERED
    ),
}
OPEN_DESPATCH = (DespatchState.DESPATCHED, DespatchState.IN_TRANSIT, DespatchState.ARRIVED)
DESPATCH_TRANSITIONS: dict[str, dict[str, str]] = {
    "pick_up": {DespatchState.DESPATCHED: DespatchState.IN_TRANSIT},
    "arrive": {DespatchState.IN_TRANSIT: DespatchState.ARRIVED},
    "receive": dict.fromkeys(OPEN_DESPATCH, DespatchState.RECEIVED),
    "receive_part": dict.fromkeys(OPEN_DESPATCH, DespatchState.PART_RECEIVED),
    "return": dict.fromkeys(OPEN_DESPATCH, DespatchState.RETURNED),
}


class FunderDisclosure(models.TextChoices):
    ALLOWED = "allowed"
    ASK_BUYER = "ask_buyer"
    FORBIDDEN = "forbidden"


class RejectReason(models.TextChoices):
    DAMAGED = "DAMAGED"
    WRONG_ITEM = "WRONG_ITEM"
    QUALITY = "QUALITY"
    EXPIRED = "EXPIRED"
    OTHER = "OTHER"


class PurchaseOrder(models.Model):
    """What the buyer orders, where it goes, and on what terms (UBL Order). Known to everyone by buyer and order number."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order_no = models.CharField(max_length=64)
    order_key = models.CharField(max_length=64)
    buyer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="orders_placed")
    seller = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="orders_taken")
    version = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=16, choices=OrderState.choices, default=OrderState.ISSUED)
    currency = models.CharField(max_length=3, default="CNY")
    issue_date = models.DateField()
    total_fen = models.BigIntegerField()
    ship_to_name = models.CharField(max_length=100)
    ship_to_address = models.CharField(max_length=200)
    latitude = models.DecimalField(max_digits=10, decimal_places=7)
    longitude = models.DecimalField(max_digits=10, decimal_places=7)
    radius_m = models.PositiveIntegerField()
    payment_days = models.PositiveSmallIntegerField()
    payment_from = models.CharField(max_length=8, choices=[("receipt", "receipt"), ("invoice", "invoice")])
    contract_no = models.CharField(max_length=64, blank=True)
    funder_disclosure = models.CharField(
        max_length=9, choices=FunderDisclosure.choices, default=FunderDisclosure.ASK_BUYER
    )
    digest = models.CharField(max_length=64)
    issued_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()
    rejection_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            # Until the buyer has signed it, an order may be anybody's word: it takes the number from nobody else.
            models.UniqueConstraint(
                fields=["buyer", "seller", "order_key"],
                condition=~Q(state=OrderState.REJECTED),
                name="order_no_once_between_two",
            ),
            models.UniqueConstraint(
                fields=["buyer", "order_key"],
                condition=~Q(state__in=[OrderState.ISSUED, OrderState.REJECTED]),
                name="order_no_once_a_buyer",
            ),
            models.CheckConstraint(condition=~Q(buyer=F("seller")), name="order_has_two_parties"),
            models.CheckConstraint(condition=Q(total_fen__gt=0), name="order_total_positive"),
        ]
        indexes = [models.Index(fields=["seller", "state"]), models.Index(fields=["buyer", "state"])]


class OrderLine(models.Model):
    """One line of an order. The unit price includes tax and is kept as it was written; the amount was rounded once."""

    order = models.ForeignKey(PurchaseOrder, on_delete=models.PROTECT, related_name="lines")
    line_id = models.CharField(max_length=16)
    item_code = models.CharField(max_length=64, blank=True)
    item_name = models.CharField(max_length=200)
    quantity = QuantityField()
    unit = models.CharField(max_length=3)
    unit_price = models.CharField(max_length=32)
    tax_rate = models.CharField(max_length=8)
    tolerance_pct = models.CharField(max_length=8)
    amount_fen = models.BigIntegerField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["order", "line_id"], name="line_once_an_order"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="order_line_quantity_positive"),
        ]


class Despatch(models.Model):
    """What left the seller for the buyer under one order (UBL DespatchAdvice), with whom it travels."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    despatch_no = models.CharField(max_length=64)
    despatch_key = models.CharField(max_length=64)
    order = models.ForeignKey(PurchaseOrder, on_delete=models.PROTECT, related_name="despatches")
    seller = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="despatches")
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


class DespatchLine(models.Model):
    despatch = models.ForeignKey(Despatch, on_delete=models.PROTECT, related_name="lines")
    despatch_line = models.CharField(max_length=16)
    order_line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="despatch_lines")
    quantity = QuantityField()
    lot = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["despatch", "despatch_line"], name="line_once_a_despatch"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="despatch_line_quantity_positive"),
        ]


class PlaceFacts(models.Model):
    """What may be known of where an act was done without its coordinates: those lie in the event's encrypted capture."""

    location_given = models.BooleanField()
    precision_class = models.CharField(max_length=8, blank=True)
    datum = models.CharField(max_length=5, blank=True)
    accuracy_m = models.PositiveIntegerField(null=True)
    age_s = models.PositiveIntegerField(null=True)
    distance_m = models.FloatField(null=True)
    within = models.BooleanField(null=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        abstract = True


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


class Signature(models.Model):
    """That a member signed a document with a device; what was signed lies in the event's `signature` section."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    action = models.CharField(max_length=16)
    subject_type = models.CharField(max_length=16)
    subject_id = models.UUIDField()
    version = models.PositiveIntegerField()
    order = models.ForeignKey(PurchaseOrder, on_delete=models.PROTECT, related_name="signatures")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="signatures")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="signatures")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="signatures")
    client_event_id = models.CharField(max_length=64)
    assurance = models.CharField(max_length=2)
    simulated = models.BooleanField(default=False)
    at = models.DateTimeField()
    event_id = models.UUIDField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["action", "subject_id", "version"], name="act_signed_once"),
            models.UniqueConstraint(fields=["member", "client_event_id"], name="signature_once_a_client_event"),
        ]
        indexes = [models.Index(fields=["device", "at"])]
