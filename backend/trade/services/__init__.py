"""Writes of the supply chain. Each locks the order first, checks the state, changes rows and records one event, in one transaction."""

from backend.trade.services.amendments import (
    agree_amendment,
    propose_amendment,
    refuse_amendment,
    withdraw_amendment,
)
from backend.trade.services.despatches import DespatchTerms, despatch_goods, report_milestone
from backend.trade.services.orders import (
    LINES_LIMIT,
    LineTerms,
    ShipTo,
    confirm_order,
    issue_order,
    reject_order,
    sign_order,
    withdraw_order,
)
from backend.trade.services.productions import (
    cancel_production,
    close_production,
    lots_sent,
    plan_production,
    report_production,
    start_production,
    test_production,
)
from backend.trade.services.receipts import SignedReceipt, sign_receipt

__all__ = [
    "LINES_LIMIT",
    "DespatchTerms",
    "LineTerms",
    "ShipTo",
    "SignedReceipt",
    "agree_amendment",
    "cancel_production",
    "close_production",
    "confirm_order",
    "despatch_goods",
    "issue_order",
    "lots_sent",
    "plan_production",
    "propose_amendment",
    "refuse_amendment",
    "reject_order",
    "report_milestone",
    "report_production",
    "sign_order",
    "sign_receipt",
    "start_production",
    "test_production",
    "withdraw_amendment",
    "withdraw_order",
]
