from django.db import models
from django.db.models import F, Q

from backend.core.fields import QuantityField
from backend.core.ids import new_id
from backend.parties.models import Member, Organisation
from backend.trade.models.deliveries import ReceiptLine
from backend.trade.models.orders import OrderLine, PurchaseOrder


class InvoiceState(models.TextChoices):
    ISSUED = "ISSUED"
    UNDER_QUERY = "UNDER_QUERY"
    ACCEPTED = "ACCEPTED"
    PART_ACCEPTED = "PART_ACCEPTED"
    DISPUTED = "DISPUTED"
    PART_PAID = "PART_PAID"
    PAID = "PAID"
    VOIDED = "VOIDED"


ANSWERABLE = (InvoiceState.ISSUED, InvoiceState.UNDER_QUERY)
PAYABLE = (InvoiceState.ACCEPTED, InvoiceState.PART_ACCEPTED, InvoiceState.PART_PAID)
INVOICE_TRANSITIONS: dict[str, dict[str, str]] = {
    "query": {InvoiceState.ISSUED: InvoiceState.UNDER_QUERY},
    "accept": dict.fromkeys((*ANSWERABLE, InvoiceState.DISPUTED), InvoiceState.ACCEPTED),
    "accept_part": dict.fromkeys((*ANSWERABLE, InvoiceState.DISPUTED), InvoiceState.PART_ACCEPTED),
    "dispute": dict.fromkeys((*ANSWERABLE, InvoiceState.ACCEPTED, InvoiceState.PART_ACCEPTED), InvoiceState.DISPUTED),
    # money that came is a fact, whatever was said of the invoice before
    "pay_part": dict.fromkeys((*ANSWERABLE, *PAYABLE, InvoiceState.DISPUTED), InvoiceState.PART_PAID),
    "pay_all": dict.fromkeys((*ANSWERABLE, *PAYABLE, InvoiceState.DISPUTED), InvoiceState.PAID),
    "unpay": dict.fromkeys((InvoiceState.PART_PAID, InvoiceState.PAID), InvoiceState.ACCEPTED),
    "unpay_part": dict.fromkeys((InvoiceState.PART_PAID, InvoiceState.PAID), InvoiceState.PART_PAID),
    # an invoice is never deleted: a red-letter one for all of it voids it
    "void": dict.fromkeys((*ANSWERABLE, *PAYABLE, InvoiceState.DISPUTED), InvoiceState.VOIDED),
}


class InvoiceMedium(models.TextChoices):
    DIGITAL = "DIGITAL", "数电"
    TAX_CONTROL = "TAX_CONTROL", "税控电子"
    PAPER = "PAPER", "纸质"


class InvoiceKind(models.TextChoices):
    SPECIAL = "SPECIAL", "专用"
    ORDINARY = "ORDINARY", "普通"


class VerifyStatus(models.TextChoices):
    UNCHECKED = "unchecked"
    OK = "ok"
    VOID = "void"
    RED = "red"
    NOT_FOUND = "not_found"
    UNAVAILABLE = "unavailable"


class Invoice(models.Model):
    """What the seller bills under one order (UBL Invoice). A 数电 invoice has 20 digits and no code; older ones a code beside the number."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    invoice_no = models.CharField(max_length=64)
    invoice_code = models.CharField(max_length=12, blank=True)
    invoice_key = models.CharField(max_length=80)
    medium = models.CharField(max_length=11, choices=InvoiceMedium.choices)
    kind = models.CharField(max_length=8, choices=InvoiceKind.choices)
    order = models.ForeignKey(PurchaseOrder, on_delete=models.PROTECT, related_name="invoices")
    seller = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="invoices_issued")
    buyer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="invoices_received")
    version = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=13, choices=InvoiceState.choices, default=InvoiceState.ISSUED)
    currency = models.CharField(max_length=3, default="CNY")
    issue_date = models.DateField()
    due_date = models.DateField()
    net_fen = models.BigIntegerField()
    tax_fen = models.BigIntegerField()
    total_fen = models.BigIntegerField()
    accepted_fen = models.BigIntegerField(default=0)
    clarification = models.CharField(max_length=3, blank=True)
    verify_status = models.CharField(max_length=11, choices=VerifyStatus.choices, default=VerifyStatus.UNCHECKED)
    verify_source = models.CharField(max_length=32, blank=True)
    verified_at = models.DateTimeField(null=True)
    digest = models.CharField(max_length=64)
    issued_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["seller", "invoice_key"], name="invoice_no_once_a_seller"),
            models.CheckConstraint(condition=Q(total_fen=F("net_fen") + F("tax_fen")), name="invoice_total_adds_up"),
            models.CheckConstraint(condition=Q(total_fen__gt=0), name="invoice_total_positive"),
            models.CheckConstraint(
                condition=Q(accepted_fen__gte=0, accepted_fen__lte=F("total_fen")), name="invoice_accepted_within_total"
            ),
        ]
        indexes = [models.Index(fields=["buyer", "due_date"], name="invoice_due")]


class InvoiceLine(models.Model):
    """A line of an invoice: goods of an order line, or a discount (a negative amount without a quantity)."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    invoice_line = models.CharField(max_length=16)
    order_line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="invoice_lines")
    receipt_line = models.ForeignKey(ReceiptLine, on_delete=models.PROTECT, null=True, related_name="invoice_lines")
    quantity = QuantityField()
    unit_price = models.CharField(max_length=32)
    tax_rate = models.CharField(max_length=8)
    net_fen = models.BigIntegerField()
    tax_fen = models.BigIntegerField()
    amount_fen = models.BigIntegerField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "invoice_line"], name="line_once_an_invoice"),
            models.CheckConstraint(condition=Q(quantity__gte=0), name="invoice_line_quantity_not_negative"),
            models.CheckConstraint(
                condition=Q(amount_fen=F("net_fen") + F("tax_fen")), name="invoice_line_amount_adds_up"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, amount_fen__gt=0) | Q(quantity=0, amount_fen__lt=0),
                name="invoice_line_goods_or_discount",
            ),
        ]


class CreditNote(models.Model):
    """A red-letter invoice (UBL CreditNote): takes back all or part of one invoice. Amounts are positive: what is taken back."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    credit_no = models.CharField(max_length=64)
    credit_key = models.CharField(max_length=80)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="credit_notes")
    order = models.ForeignKey(PurchaseOrder, on_delete=models.PROTECT, related_name="credit_notes")
    seller = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(default=1)
    reason = models.CharField(max_length=500)
    issue_date = models.DateField()
    total_fen = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    issued_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["seller", "credit_key"], name="credit_no_once_a_seller"),
            models.CheckConstraint(condition=Q(total_fen__gt=0), name="credit_total_positive"),
        ]


class CreditNoteLine(models.Model):
    """What is taken back of an invoice's line: goods with their quantity, or a price alone (no quantity)."""

    credit_note = models.ForeignKey(CreditNote, on_delete=models.PROTECT, related_name="lines")
    invoice_line = models.ForeignKey(InvoiceLine, on_delete=models.PROTECT, related_name="credit_lines")
    quantity = QuantityField()
    amount_fen = models.BigIntegerField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["credit_note", "invoice_line"], name="line_once_a_credit_note"),
            models.CheckConstraint(condition=Q(quantity__gte=0, amount_fen__gt=0), name="credit_line_takes_back"),
        ]
