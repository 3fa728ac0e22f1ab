from typing import Any

from backend.core.events import Actor
from backend.core.ids import typed
from backend.core.money import quantity_text
from backend.evidence.selectors import anchors, voucher_cards
from backend.trade import documents, selectors
from backend.trade.models import PRODUCTION_TRANSITIONS, ProductionOrder, ProductionState
from backend.trade.rendering.goods import Body, newest_events, organisation_body
from backend.trade.services.versions import VERSION_EVENTS


def production_summary(production: Any) -> Body:
    """A production order in a list."""
    return {
        "id": typed("production", production.id),
        "production_no": production.production_no,
        "version": production.version,
        "state": production.state,
        "factory": organisation_body(production.factory),
        "order": {"id": typed("order", production.order_id), "order_no": production.order.order_no},
        "order_line": production.order_line.line_id,
        "item_name": production.order_line.item_name,
        "unit": production.order_line.unit,
        "lot": production.lot,
        "planned_quantity": quantity_text(production.planned_quantity),
        "produced_quantity": quantity_text(production.produced_quantity),
        "passed_quantity": quantity_text(production.passed_quantity),
        "despatched_quantity": quantity_text(production.despatched),
    }


def production_body(production: ProductionOrder, by: Actor) -> Body:
    """A production order whole: its document, what was attached to it, and what the viewer may do."""
    who = selectors.viewer(by)
    brought = newest_events([production.id], tuple(VERSION_EVENTS))
    document = documents.production_document(production)
    order = production.order
    attach = ["attach"] if selectors.may_attach(who, (order.buyer_id, order.seller_id)) else []
    return {
        **production_summary(production),
        "document": document,
        "digest": documents.digest(document),
        "cancellation_reason": production.cancellation_reason,
        "vouchers": voucher_cards("production", [production.id], by=by),
        "anchor": anchors(brought.values())[brought[production.id]],
        "actions": [*_production_actions(production, who), *attach],
    }


def _production_actions(production: ProductionOrder, who: selectors.Viewer) -> list[str]:
    if who.organisation.id != production.factory_id or not who.member.has_role(*selectors.ANSWERING):
        return []
    if production.state == ProductionState.PRODUCED:
        return ["test"]
    return [act for act in ("start", "produce", "close", "cancel") if production.state in PRODUCTION_TRANSITIONS[act]]
