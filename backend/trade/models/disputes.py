from django.db import models
from django.db.models import Q

from backend.core.fields import QuantityField
from backend.core.ids import new_id
from backend.parties.models import Member, Organisation
from backend.trade.models.orders import OrderLine, PurchaseOrder


class DisputeState(models.TextChoices):
    OPEN = "OPEN"
    IN_REVIEW = "IN_REVIEW"
    UPHELD = "UPHELD"
    PART_UPHELD = "PART_UPHELD"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


UNSETTLED = (DisputeState.OPEN, DisputeState.IN_REVIEW)
DISPUTE_TRANSITIONS: dict[str, dict[str, str]] = {
    "review": {DisputeState.OPEN: DisputeState.IN_REVIEW},
    "uphold": dict.fromkeys(UNSETTLED, DisputeState.UPHELD),
    "uphold_part": dict.fromkeys(UNSETTLED, DisputeState.PART_UPHELD),
    "reject": dict.fromkeys(UNSETTLED, DisputeState.REJECTED),
    "withdraw": dict.fromkeys(UNSETTLED, DisputeState.WITHDRAWN),
}


class DisputeReason(models.TextChoices):
    QUANTITY = "QUANTITY"
    QUALITY = "QUALITY"
    PRICE = "PRICE"
    LATE = "LATE"
    RETURN = "RETURN"
    OTHER = "OTHER"


class Dispute(models.Model):
    """What one party says is wrong with goods or a bill, and what it asks for (CBV BTT-rma for a return). Open, it freezes its amount."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(PurchaseOrder, on_delete=models.PROTECT, related_name="disputes")
    order_line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, null=True, related_name="disputes")
    subject_type = models.CharField(max_length=16)
    subject_id = models.UUIDField()
    version = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=11, choices=DisputeState.choices, default=DisputeState.OPEN)
    reason = models.CharField(max_length=8, choices=DisputeReason.choices)
    detail = models.CharField(max_length=1000)
    quantity = QuantityField(default=0)
    amount_fen = models.BigIntegerField()
    upheld_fen = models.BigIntegerField(default=0)
    requested_resolution = models.CharField(max_length=500)
    answer = models.CharField(max_length=1000, blank=True)
    deadline = models.DateField()
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="disputes_opened")
    opened_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_fen__gt=0, quantity__gte=0), name="dispute_is_about_something"),
            models.CheckConstraint(
                condition=Q(upheld_fen__gte=0, upheld_fen__lte=models.F("amount_fen")), name="dispute_upheld_within"
            ),
        ]
        indexes = [models.Index(fields=["order", "state"], name="dispute_of_order")]
