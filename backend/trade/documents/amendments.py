from collections.abc import Sequence

from backend.core import clock
from backend.core.ids import typed
from backend.core.money import money_text
from backend.trade.documents.goods import Document, order_document, order_line_document
from backend.trade.models import OrderAmendment, OrderLine, PurchaseOrder

COMPARED = ("quantity", "unit_price", "tolerance_pct", "amount")


def amended_order_document(order: PurchaseOrder, lines: Sequence[OrderLine]) -> Document:
    """The order as it will be: its next version, with these lines and their total."""
    return order_document(order) | {
        "version": order.version + 1,
        "lines": [order_line_document(line) for line in lines],
        "total": money_text(sum(line.amount_fen for line in lines)),
    }


def amendment_document(amendment: OrderAmendment) -> Document:
    """A change of an order that somebody proposed: what of which version, why, and the order as it will be."""
    return {
        "type": "amendment",
        "id": typed("amendment", amendment.id),
        "version": 1,
        "kind": amendment.kind,
        "reason": amendment.reason,
        "order": {"id": typed("order", amendment.order_id), "version": amendment.base_version},
        "document": amendment.document,
        "proposed_by": typed("member", amendment.proposed_by_id),
        "proposed_at": clock.rfc3339(amendment.proposed_at),
    }


def line_differences(before: Document, after: Document) -> list[Document]:
    """What two versions of an order say differently, line by line; a line that says the same is absent."""
    known = {line["line_id"]: line for line in before["lines"]}
    found = []
    for line in after["lines"]:
        old, new = known.get(line["line_id"]), {name: line[name] for name in COMPARED}
        was = old and {name: old[name] for name in COMPARED}
        if was != new:
            found.append({"line_id": line["line_id"], "item_name": line["item_name"], "before": was, "after": new})
    return found
