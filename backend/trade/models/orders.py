from django.db import models
from django.db.models import F, Q

from backend.core.fields import QuantityField
from backend.core.ids import new_id
from backend.parties.models import Member, Organisation


class OrderState(models.TextChoices):
    ISSUED = "ISSUED"
    BUYER_SIGNED = "BUYER_SIGNED"
    CONFIRMED = "CONFIRMED"
    PART_DELIVERED = "PART_DELIVERED"
    DELIVERED = "DELIVERED"
    INVOICED = "INVOICED"
    CLOSED = "CLOSED"
    AMENDING = "AMENDING"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"


DELIVERING = (OrderState.CONFIRMED, OrderState.PART_DELIVERED)
ORDER_TRANSITIONS: dict[str, dict[str, str]] = {
    "sign": {OrderState.ISSUED: OrderState.BUYER_SIGNED},
    # the buyer sends back what it did not order; the seller refuses what the buyer signed
    "reject": {OrderState.ISSUED: OrderState.REJECTED},
    "refuse": {OrderState.BUYER_SIGNED: OrderState.REJECTED},
    # by whoever issued it, alone; once it is confirmed, both sign
    "withdraw": dict.fromkeys((OrderState.ISSUED, OrderState.BUYER_SIGNED), OrderState.CANCELLED),
    "confirm": {OrderState.BUYER_SIGNED: OrderState.CONFIRMED},
    # signed by both, as what it changes was; while one side considers it nothing more is sent
    "amend": dict.fromkeys(DELIVERING, OrderState.AMENDING),
    "amended": {OrderState.AMENDING: OrderState.CONFIRMED},
    "amended_part": {OrderState.AMENDING: OrderState.PART_DELIVERED},
    "amended_all": {OrderState.AMENDING: OrderState.DELIVERED},
    "cancel": {OrderState.AMENDING: OrderState.CANCELLED},
    "produce": {state: state for state in (*DELIVERING, OrderState.AMENDING)},
    "despatch": {state: state for state in DELIVERING},
    # goods that arrive while an amendment waits are signed for all the same: a fact is never refused
    "receive_none": {state: state for state in (*DELIVERING, OrderState.AMENDING)},
    "receive_part": {
        OrderState.CONFIRMED: OrderState.PART_DELIVERED,
        OrderState.PART_DELIVERED: OrderState.PART_DELIVERED,
        OrderState.AMENDING: OrderState.AMENDING,
    },
    # what the tolerance allows beyond the order may still be on its way when the order is delivered
    "receive_all": {
        OrderState.CONFIRMED: OrderState.DELIVERED,
        OrderState.PART_DELIVERED: OrderState.DELIVERED,
        OrderState.DELIVERED: OrderState.DELIVERED,
        OrderState.INVOICED: OrderState.INVOICED,
        OrderState.AMENDING: OrderState.AMENDING,
    },
    "invoice_all": {OrderState.DELIVERED: OrderState.INVOICED},
    "uninvoice": {OrderState.INVOICED: OrderState.DELIVERED},
    "close": {OrderState.INVOICED: OrderState.CLOSED},
}


class FunderDisclosure(models.TextChoices):
    ALLOWED = "allowed"
    ASK_BUYER = "ask_buyer"
    FORBIDDEN = "forbidden"


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
    cancellation_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            # Until the buyer has signed it, an order may be anybody's word: it takes the number from nobody else.
            models.UniqueConstraint(
                fields=["buyer", "seller", "order_key"],
                condition=~Q(state__in=[OrderState.REJECTED, OrderState.CANCELLED]),
                name="order_no_once_between_two",
            ),
            models.UniqueConstraint(
                fields=["buyer", "order_key"],
                condition=~Q(state__in=[OrderState.ISSUED, OrderState.REJECTED, OrderState.CANCELLED]),
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
    # back-to-back: the line of the seller's own customer that this line is bought for
    fulfils = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="fulfilled_by")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["order", "line_id"], name="line_once_an_order"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="order_line_quantity_positive"),
        ]


class AmendmentKind(models.TextChoices):
    AMEND = "AMEND"
    CANCEL = "CANCEL"


class AmendmentState(models.TextChoices):
    PROPOSED = "PROPOSED"
    AGREED = "AGREED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"


AMENDMENT_TRANSITIONS: dict[str, dict[str, str]] = {
    "agree": {AmendmentState.PROPOSED: AmendmentState.AGREED},
    "refuse": {AmendmentState.PROPOSED: AmendmentState.REFUSED},
    "withdraw": {AmendmentState.PROPOSED: AmendmentState.WITHDRAWN},
}


class OrderAmendment(models.Model):
    """A change of a confirmed order, or its cancellation, that one party signed and the other must sign too (UBL OrderChange).

    `document` is the order as it will be, complete and canonical; nothing of the order changes before both have signed it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(PurchaseOrder, on_delete=models.PROTECT, related_name="amendments")
    kind = models.CharField(max_length=6, choices=AmendmentKind.choices)
    base_version = models.PositiveIntegerField()
    reason = models.CharField(max_length=500)
    document = models.JSONField()
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=9, choices=AmendmentState.choices, default=AmendmentState.PROPOSED)
    proposed_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    refusal_reason = models.CharField(max_length=500, blank=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(state=AmendmentState.PROPOSED), name="amendment_open_once_an_order"
            )
        ]
