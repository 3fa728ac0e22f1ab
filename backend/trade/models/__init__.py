"""The documents of the supply chain; names after UBL. A file each kind of document, its states and the table of which follows which beside it."""

from backend.trade.models.deliveries import (
    DESPATCH_TRANSITIONS,
    OPEN_DESPATCH,
    Despatch,
    DespatchLine,
    DespatchState,
    DirectLine,
    Milestone,
    Receipt,
    ReceiptLine,
    ReceiptState,
    RejectReason,
)
from backend.trade.models.disputes import (
    DISPUTE_TRANSITIONS,
    UNSETTLED,
    Dispute,
    DisputeReason,
    DisputeState,
)
from backend.trade.models.invoices import (
    ANSWERABLE,
    INVOICE_TRANSITIONS,
    PAYABLE,
    CreditNote,
    CreditNoteLine,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceMedium,
    InvoiceState,
    VerifyStatus,
)
from backend.trade.models.orders import (
    AMENDMENT_TRANSITIONS,
    ORDER_TRANSITIONS,
    AmendmentKind,
    AmendmentState,
    FunderDisclosure,
    OrderAmendment,
    OrderLine,
    OrderState,
    PurchaseOrder,
)
from backend.trade.models.payments import (
    PAYMENT_TRANSITIONS,
    Payment,
    PaymentAllocation,
    PaymentMeans,
    PaymentState,
)
from backend.trade.models.places import (
    PlaceFacts,
)
from backend.trade.models.production import (
    PRODUCTION_TRANSITIONS,
    ProductionOrder,
    ProductionState,
)
from backend.trade.models.signatures import (
    Signature,
)
from backend.trade.models.versions import (
    DocumentVersion,
)

__all__ = [
    "AMENDMENT_TRANSITIONS",
    "ANSWERABLE",
    "DESPATCH_TRANSITIONS",
    "DISPUTE_TRANSITIONS",
    "INVOICE_TRANSITIONS",
    "OPEN_DESPATCH",
    "ORDER_TRANSITIONS",
    "PAYABLE",
    "PAYMENT_TRANSITIONS",
    "PRODUCTION_TRANSITIONS",
    "UNSETTLED",
    "AmendmentKind",
    "AmendmentState",
    "CreditNote",
    "CreditNoteLine",
    "Despatch",
    "DespatchLine",
    "DespatchState",
    "DirectLine",
    "Dispute",
    "DisputeReason",
    "DisputeState",
    "DocumentVersion",
    "FunderDisclosure",
    "Invoice",
    "InvoiceKind",
    "InvoiceLine",
    "InvoiceMedium",
    "InvoiceState",
    "Milestone",
    "OrderAmendment",
    "OrderLine",
    "OrderState",
    "Payment",
    "PaymentAllocation",
    "PaymentMeans",
    "PaymentState",
    "PlaceFacts",
    "ProductionOrder",
    "ProductionState",
    "PurchaseOrder",
    "Receipt",
    "ReceiptLine",
    "ReceiptState",
    "RejectReason",
    "Signature",
    "VerifyStatus",
]
