"""The documents of the supply chain; names after UBL. A file each kind of document, its states and the table of which follows which beside it."""

from backend.trade.models.deliveries import (
    DESPATCH_TRANSITIONS,
    OPEN_DESPATCH,
    Despatch,
    DespatchLine,
    DespatchState,
    Milestone,
    Receipt,
    ReceiptLine,
    ReceiptState,
    RejectReason,
)
from backend.trade.models.orders import (
    ORDER_TRANSITIONS,
    FunderDisclosure,
    OrderLine,
    OrderState,
    PurchaseOrder,
)
from backend.trade.models.places import PlaceFacts
from backend.trade.models.signatures import Signature

__all__ = [
    "DESPATCH_TRANSITIONS",
    "OPEN_DESPATCH",
    "ORDER_TRANSITIONS",
    "Despatch",
    "DespatchLine",
    "DespatchState",
    "FunderDisclosure",
    "Milestone",
    "OrderLine",
    "OrderState",
    "PlaceFacts",
    "PurchaseOrder",
    "Receipt",
    "ReceiptLine",
    "ReceiptState",
    "RejectReason",
    "Signature",
]
