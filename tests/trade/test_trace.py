"""The verdict over an order: whatever is rewritten by hand in the database turns it red, whatever else was rewritten to match."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import models

from backend.core.clock import now
from backend.core.ids import PREFIXES, from_typeid
from backend.core.models import DataKey, Event
from backend.core.sealed import declared
from backend.parties.services import grant_delegation
from backend.trade.models import (
    Despatch,
    DespatchLine,
    DocumentVersion,
    Milestone,
    OrderAmendment,
    OrderLine,
    ProductionOrder,
    PurchaseOrder,
    Receipt,
    ReceiptLine,
    Signature,
)
from tests.amending import propose
from tests.cast import AT_GATE, Cast, confirmed_order, despatched, issued_order, office, phone_of
from tests.phone import Json, Phone

pytestmark = pytest.mark.django_db


@pytest.fixture
def anchored(cast: Cast, clerk: Phone, sales: Phone, driver: Phone, drain: Callable[[], None]) -> Json:
    """An order, despatched, driven and signed for, all of it in the ledger."""
    order = confirmed_order(cast, clerk, sales)
    sent = despatched(cast, order, sales)
    path = f"/api/v1/despatches/{sent['id']}"
    assert driver.post(f"{path}/milestones", {"kind": "PICKED_UP", "capture": driver.capture(AT_GATE)})[0] == 201
    assert clerk.sign("/api/v1/receipts/", clerk.receipt_act(clerk.get(f"{path}/")[1]))[0] == 201
    drain()
    return order


def verdict(cast: Cast, phone: Phone) -> tuple[str, set[tuple[str, str]]]:
    """The verdict's state, and each fault's code and field."""
    status, trace = phone.get(f"/api/v1/trace/{cast.buyer.uscc}/PO-1")
    assert status == 200, trace
    return trace["verdict"]["state"], {(fault["code"], fault["field"]) for fault in trace["verdict"]["faults"]}


def test_what_nobody_touched_is_sound(cast: Cast, clerk: Phone, anchored: Json) -> None:
    assert verdict(cast, clerk) == ("sound", set())


@pytest.mark.parametrize(
    ("model", "change", "field"),
    [
        (PurchaseOrder, {"state": "CONFIRMED"}, "state"),
        (PurchaseOrder, {"state": "REJECTED", "rejection_reason": "no"}, "state"),
        (PurchaseOrder, {"radius_m": 5000}, "ship_to.radius_m"),
        (PurchaseOrder, {"payment_days": 5}, "payment_terms.days"),
        (OrderLine, {"tolerance_pct": "50"}, "lines.0.tolerance_pct"),
        (Despatch, {"state": "RETURNED"}, "state"),
        (Despatch, {"plate_no": "X"}, "plate_no"),
        (Despatch, {"order_version": 2}, "order.version"),
        (DespatchLine, {"unit_price": "1.00"}, "lines.0.unit_price"),
        (DocumentVersion, {"digest": "0" * 64}, "digest"),
        (DocumentVersion, {"document": {"type": "order", "lines": []}}, "total"),
        (DocumentVersion, {"at": now() - timedelta(days=1)}, "at"),
        (DespatchLine, {"lot": "X"}, "lines.0.lot"),
        (Milestone, {"distance_m": 9_000.0}, "distance_m"),
        (Milestone, {"within": False}, "within"),
        (Receipt, {"distance_m": 3.0}, "distance_m"),
        (Receipt, {"assurance": "L4"}, "assurance"),
        (ReceiptLine, {"amount_fen": 1}, "lines.0.amount"),
        (Signature, {"assurance": "L4"}, "assurance"),
        (Signature, {"at": now() - timedelta(days=1)}, "at"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_row_rewritten_by_hand_turns_it_red_and_names_the_field(
    cast: Cast, clerk: Phone, anchored: Json, model: type[models.Model], change: dict[str, Any], field: str
) -> None:
    model._default_manager.update(**change)
    state, faults = verdict(cast, clerk)
    assert state == "broken"
    assert [path for code, path in faults if code == "row-changed" and f".{path}".endswith(f".{field}")], faults


def test_a_receipt_that_was_removed_is_missed(cast: Cast, clerk: Phone, anchored: Json) -> None:
    ReceiptLine.objects.all().delete()
    Receipt.objects.all().delete()
    Despatch.objects.update(state="DESPATCHED")
    PurchaseOrder.objects.update(state="CONFIRMED")
    state, faults = verdict(cast, clerk)
    assert state == "broken"
    assert ("row-missing", "") in faults


def test_an_event_hidden_under_another_order_with_its_key_renamed_is_found(
    cast: Cast, clerk: Phone, anchored: Json
) -> None:
    order = from_typeid("ord", anchored["id"])
    other = issued_order(cast, order_no="PO-2")
    DataKey.objects.filter(scope=f"order:{order}").update(scope="order:hidden")
    Event.objects.filter(type="order.confirmed").update(subject_id=other.id)
    state, faults = verdict(cast, clerk)
    assert state == "broken"
    assert ("event-changed", "subject.id") in faults


def test_the_reason_of_a_rejection_is_compared_with_the_one_given(
    cast: Cast, clerk: Phone, drain: Callable[[], None]
) -> None:
    from backend.core.ids import typed

    order = issued_order(cast)
    clerk.post(f"/api/v1/orders/{typed('order', order.id)}/rejection", {"reason": "价格不对"})
    drain()
    assert verdict(cast, clerk) == ("sound", set())
    PurchaseOrder.objects.update(rejection_reason="缺货")
    assert verdict(cast, clerk) == ("broken", {("row-changed", "rejection_reason")})


def test_a_party_sees_the_trace_and_nobody_else(cast: Cast, sales: Phone, driver: Phone, anchored: Json) -> None:
    path = f"/api/v1/trace/{cast.buyer.uscc}/PO-1"
    assert [phone.get(path)[0] for phone in (sales, phone_of(cast.risk), driver, phone_of(cast.stranger))] == [
        200,
        200,
        404,
        404,
    ]
    assert AT_GATE[1] not in str(sales.get(path)[1]["steps"])


def test_every_column_of_a_sealed_row_is_sealed_or_named_as_derived(
    cast: Cast, clerk: Phone, sales: Phone, anchored: Json
) -> None:
    second = confirmed_order(cast, clerk, sales, order_no="PO-2")
    despatched(cast, second, sales, number="DN-2")
    propose(sales, confirmed_order(cast, clerk, sales, order_no="PO-3"), {"1": {"quantity": "7"}})
    lot = {"order": second["id"], "order_line": "2", "production_no": "M", "lot": "L", "planned_quantity": "5"}
    assert sales.post("/api/v1/productions/", lot)[0] == 201
    until = {"valid_from": now(), "valid_to": now() + timedelta(days=1)}
    grant_delegation(by=office(cast.clerk), to_member=cast.office.id, doc_types=["order"], max_amount_fen=1, **until)
    ours = [one for one in declared() if one.model._meta.app_label == "trade"]
    assert {one.model for one in ours} == {
        PurchaseOrder,
        Despatch,
        Receipt,
        Signature,
        Milestone,
        DocumentVersion,
        OrderAmendment,
        ProductionOrder,
    }
    for one in ours:
        row = one.rows().order_by("pk").first()
        before = one.build_section(row)
        for column in one.model._meta.concrete_fields:
            if column.name in one.derived:
                continue
            changed = one.rows().get(pk=row.pk)
            _change(changed, column)
            assert one.build_section(changed) != before, f"{one.name}.{column.name} is neither sealed nor derived"


def _change(row: Any, column: Any) -> None:
    """Gives a column another value of its kind."""
    value = getattr(row, column.attname)
    if isinstance(column, models.ForeignKey):
        setattr(row, column.name, column.related_model._default_manager.exclude(pk=value).first())
    elif value is None and isinstance(column, models.DateTimeField):
        setattr(row, column.attname, now())
    elif isinstance(value, bool):
        setattr(row, column.attname, not value)
    elif isinstance(value, int | float | Decimal) or (value is None and column.get_internal_type() != "CharField"):
        filled = 7 if value is None else value + 7
        setattr(row, column.attname, True if column.get_internal_type() == "BooleanField" else filled)
    elif isinstance(value, str):
        setattr(row, column.attname, "upload" if value in PREFIXES else "x" + value[1:])
    elif isinstance(value, dict):
        setattr(row, column.attname, value | {"id": "x"})
    elif hasattr(value, "isoformat"):
        setattr(row, column.attname, value + timedelta(days=1))
    else:
        setattr(row, column.attname, Event.objects.first().id)
