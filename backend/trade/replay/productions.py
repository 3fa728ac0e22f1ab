from collections.abc import Iterable

from backend.core.models import Event
from backend.evidence.audit import Fault
from backend.trade import documents
from backend.trade.models import ProductionOrder, ProductionState
from backend.trade.replay.goods import compare, said_reason

# In the order that they happen in; the last that did counts.
PRODUCTION_STATES = {
    "production.planned": ProductionState.PLANNED,
    "production.started": ProductionState.STARTED,
    "production.produced": ProductionState.PRODUCED,
    "production.tested": ProductionState.QC_PASSED,
    "production.closed": ProductionState.CLOSED,
    "production.cancelled": ProductionState.CANCELLED,
}


def check_productions(events: Iterable[Event], productions: Iterable[ProductionOrder]) -> list[Fault]:
    """Each lot is in the state that its events lead to, planned by whom they say, and cancelled for the reason that was given."""
    happened: dict[object, dict[str, Event]] = {}
    for event in events:
        happened.setdefault(event.subject_id, {})[event.type] = event
    faults: list[Fault] = []
    for row in productions:
        own = happened.get(row.id, {})
        reached = [state for type_, state in PRODUCTION_STATES.items() if type_ in own]
        state = reached[-1] if reached else None
        if state == ProductionState.QC_PASSED and not row.passed_quantity:
            state = ProductionState.QC_FAILED
        faults += compare(row, "state", state, row.state)
        faults += compare(row, "production_no", documents.number_key(row.production_no), row.production_key)
        faults += compare(row, "order_line", str(row.order_id), str(row.order_line.order_id))
        planned = own.get("production.planned")
        faults += compare(row, "planned_by", str(planned.actor_member) if planned else None, str(row.planned_by_id))
        faults += compare(
            row, "cancellation_reason", said_reason(own.get("production.cancelled")), row.cancellation_reason
        )
        faults += compare(row, "digest", documents.digest(documents.production_document(row)), row.digest)
    return faults
