from django.db import models
from django.db.models import Q

from backend.core.ids import new_id
from backend.parties.models import Member, Organisation
from backend.trade.models.invoices import Invoice


class PaymentState(models.TextChoices):
    RECORDED = "RECORDED"
    MATCHED = "MATCHED"
    UNMATCHED = "UNMATCHED"
    REVERSED = "REVERSED"


PAYMENT_TRANSITIONS: dict[str, dict[str, str]] = {
    "match": dict.fromkeys((PaymentState.RECORDED, PaymentState.UNMATCHED), PaymentState.MATCHED),
    "leave": {PaymentState.RECORDED: PaymentState.UNMATCHED},
    "reverse": dict.fromkeys((PaymentState.MATCHED, PaymentState.UNMATCHED), PaymentState.REVERSED),
}


class PaymentMeans(models.TextChoices):
    TRANSFER = "TRANSFER", "转账"
    DRAFT = "DRAFT", "票据"


class Payment(models.Model):
    """Money that a buyer paid a seller, by transfer or by a draft with its number (ISO 20022 camt.054). Counts once a bank reference."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    payer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="payments_made")
    payee = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="payments_received")
    version = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=9, choices=PaymentState.choices, default=PaymentState.RECORDED)
    means = models.CharField(max_length=8, choices=PaymentMeans.choices)
    draft_no = models.CharField(max_length=64, blank=True)
    currency = models.CharField(max_length=3, default="CNY")
    amount_fen = models.BigIntegerField()
    value_date = models.DateField()
    bank_ref = models.CharField(max_length=64)
    bank_ref_key = models.CharField(max_length=64)
    account_hash = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)
    recorded_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payer", "bank_ref_key"], name="bank_ref_once_a_payer"),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="payment_positive"),
            models.CheckConstraint(condition=~Q(payer=models.F("payee")), name="payment_has_two_parties"),
            models.CheckConstraint(
                condition=Q(means=PaymentMeans.TRANSFER, draft_no="") | (Q(means=PaymentMeans.DRAFT) & ~Q(draft_no="")),
                name="draft_has_its_number",
            ),
        ]


class PaymentAllocation(models.Model):
    """How much of a payment went to which invoice."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="allocations")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="allocations")
    amount_fen = models.BigIntegerField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["payment", "invoice"], name="allocation_once_an_invoice"),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="allocation_positive"),
        ]
