from datetime import datetime

from backend.core import clock
from backend.core.ids import typed
from backend.core.money import quantity_text
from backend.trade.documents.goods import Document, order_key, party
from backend.trade.models import ProductionOrder


def production_document(production: ProductionOrder) -> Document:
    """The production order: what is made, how many were, and how many passed. It carries no price."""
    line = production.order_line
    return {
        "type": "production",
        "id": typed("production", production.id),
        "version": production.version,
        "production_no": production.production_no,
        "factory": party(production.factory),
        "order": order_key(production.order, production.order_version),
        "order_line": line.line_id,
        "item_name": line.item_name,
        "unit": line.unit,
        "gtin": production.gtin,
        "lot": production.lot,
        "planned_quantity": quantity_text(production.planned_quantity),
        "produced_quantity": quantity_text(production.produced_quantity),
        "passed_quantity": quantity_text(production.passed_quantity),
        "planned_at": clock.rfc3339(production.planned_at),
        "started_at": _moment(production.started_at),
        "finished_at": _moment(production.finished_at),
        "tested_at": _moment(production.tested_at),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else clock.rfc3339(moment)
