"""Writes of the supply chain. Each locks the order first, checks the state, changes rows and records one event, in one transaction."""

from backend.trade.services.despatches import DespatchTerms, despatch_goods, report_milestone
from backend.trade.services.orders import (
    LINES_LIMIT,
    LineTerms,
    ShipTo,
    confirm_order,
    issue_order,
    reject_order,
    sign_order,
)
from backend.trade.services.receipts import SignedReceipt, sign_receipt

__all__ = [
    "LINES_LIMIT",
    "DespatchTerms",
    "LineTerms",
    "ShipTo",
    "SignedReceipt",
    "confirm_order",
    "despatch_goods",
    "issue_order",
    "reject_order",
    "report_milestone",
    "sign_order",
    "sign_receipt",
]
