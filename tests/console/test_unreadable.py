"""Whatever is written by hand into a row that the trace tells of, what is no value of its kind included: the page is shown, and it is red."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, models, transaction

from backend.core.ids import new_id
from backend.core.models import DataKey, Event, SealedSection
from backend.evidence.models import StoredFile, Voucher
from backend.trade.models import (
    Despatch,
    DespatchLine,
    Milestone,
    OrderLine,
    PurchaseOrder,
    Receipt,
    ReceiptLine,
    Signature,
)
from tests.cast import AT_GATE, confirmed_order, despatched, phone_of
from tests.trade.test_query_budgets import attach

pytestmark = pytest.mark.django_db

TOLD = (
    PurchaseOrder,
    OrderLine,
    Despatch,
    DespatchLine,
    Milestone,
    Receipt,
    ReceiptLine,
    Signature,
    Voucher,
    StoredFile,
    Event,
)
# For each kind of column something that the database takes and that nobody meant.
ODD: dict[type[models.Field], Any] = {
    models.CharField: "FOO",
    models.FloatField: -1.0,
    models.DecimalField: Decimal("999.9999999"),
    models.DateTimeField: datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    models.DateField: date(1, 1, 1),
    models.IntegerField: 0,
    models.UUIDField: new_id(),
    models.JSONField: {"a": 1},
    models.BinaryField: b"x" * 60,
}
# What it cannot be known by: where it is not the page that changes, but who may open it.
ELSEWHERE = {"PurchaseOrder.id", "PurchaseOrder.buyer", "PurchaseOrder.seller"}
# Nothing of it is shown or compared; tests/contract says why of each.
NOT_VOUCHED = {
    "Event.payload",
    "Event.audience",
    "Event.position",
    "ReceiptLine.id",
    "StoredFile.data_key",
    "StoredFile.facts",
    "StoredFile.stored_at",
    "Voucher.upload",
    "Voucher.event_id",
    "Signature.id",
    "Milestone.id",
    "Milestone.received_at",
    "PurchaseOrder.order_key",
    "PurchaseOrder.digest",
    "PurchaseOrder.issued_by",
    "PurchaseOrder.issued_at",
    "Despatch.despatch_key",
    "Despatch.digest",
    "Despatch.driver",
    "Despatch.despatched_by",
    "Receipt.digest",
}


@pytest.fixture
def told(cast, drain) -> str:
    """An order with everything that can happen under it; its address in the console."""
    clerk, sales, driver = phone_of(cast.clerk), phone_of(cast.sales), phone_of(cast.driver)
    order = confirmed_order(cast, clerk, sales)
    sent = despatched(cast, order, sales)
    capture = driver.capture(AT_GATE)
    assert (
        driver.post(f"/api/v1/despatches/{sent['id']}/milestones", {"kind": "PICKED_UP", "capture": capture})[0] == 201
    )
    status, receipt = clerk.sign("/api/v1/receipts/", clerk.receipt_act(sent, capture=clerk.capture(AT_GATE)))
    assert status == 201, receipt
    attach(sales, receipt["id"], 1)
    drain()
    return f"/console/orders/{order['id']}/"


def odd_values(column: Any, row: Any) -> Iterator[Any]:
    """Values for an UPDATE by the ORM."""
    value = getattr(row, column.attname)
    if column.is_relation:
        other = column.related_model._default_manager.exclude(pk=value).first()
        yield from [other.pk] if other else []
    elif isinstance(column, models.BooleanField):
        yield not value
    else:
        odd = next(ODD[kind] for kind in type(column).__mro__ if kind in ODD)
        yield 7 if odd == value else odd
        yield from [float("inf")] if isinstance(column, models.FloatField) else []
    if column.null and value is not None:
        yield None


def written(row: models.Model, column: Any, value: Any) -> bool:
    """Writes it; False where the database does not take it."""
    try:
        with transaction.atomic():
            return bool(type(row)._default_manager.filter(pk=row.pk).update(**{column.attname: value}))
    except DatabaseError:
        return False


def written_as_text(row: models.Model, column: Any) -> bool:
    """Writes a word where none belongs, as SQLite lets everybody do."""
    if connection.vendor != "sqlite" or isinstance(column, models.CharField | models.BooleanField):
        return False  # of a boolean, SQLite's driver makes False of every word
    pk = row.pk.hex if isinstance(row.pk, UUID) else row.pk
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            name = connection.ops.quote_name(column.column)
            cursor.execute(f"UPDATE {row._meta.db_table} SET {name} = 'zz' WHERE id = %s", [pk])
            return True
    except DatabaseError:
        return False


def row_of(model: type[models.Model]) -> Any:
    if model is Event:
        return Event.objects.get(type="receipt.signed")
    return model._default_manager.order_by("-pk").first()


@pytest.mark.parametrize("model", TOLD, ids=lambda model: model.__name__)
def test_whatever_is_written_into_a_row_the_page_is_shown_and_red(cast, console, told, model) -> None:
    browser = console(cast.office, "en")
    row, tried = row_of(model), 0
    for column in model._meta.concrete_fields:
        name = f"{model.__name__}.{column.name}"
        if name in ELSEWHERE:
            continue
        ways = [partial(written, row, column, value) for value in odd_values(column, row)]
        for way in [*ways, partial(written_as_text, row, column)]:
            with transaction.atomic():
                if way():
                    tried += 1
                    page = browser.get(told)
                    assert page.status_code == 200, name
                    assert 'data-verdict="broken"' in page.text or name in NOT_VOUCHED, name
                transaction.set_rollback(True)
    own = len(model._meta.concrete_fields) - len(ELSEWHERE)
    assert tried >= (own if connection.vendor == "sqlite" else 4), "other databases' constraints refuse the rest"


@pytest.mark.parametrize(
    ("model", "change", "named", "words"),
    [
        (OrderLine, {"unit_price": "abc"}, "trade.PurchaseOrder lines.1.unit_price", "unit price"),
        (Receipt, {"state": "FOO"}, "trade.Receipt state", "FOO"),
        (Receipt, {"distance_m": -1.0, "within": False}, "trade.Receipt distance_m", "distance"),
        (Receipt, {"distance_m": float("inf")}, "trade.Receipt distance_m", "distance"),
        (Signature, {"subject_type": "FOO"}, "trade.Signature subject", "Signature"),
        (Event, {"subject_type": "FOO"}, "core.Event subject.type", "Event"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_value_that_is_none_of_its_kind_is_named_by_row_and_field_on_the_page_and_by_the_api(
    cast, console, told, model, change, named, words
) -> None:
    row = row_of(model)
    model.objects.filter(pk=row.pk).update(**change)
    shown = phone_of(cast.clerk).get(f"/api/v1/trace/{cast.buyer.uscc}/PO-1")[1]["verdict"]
    assert shown["state"] == "broken"
    assert named in {f"{fault['subject'].partition(' ')[0]} {fault['field']}" for fault in shown["faults"]}
    page = console(cast.office, "en").get(told)
    assert 'data-verdict="broken"' in page.text and words in page.text


@pytest.mark.parametrize("name", ["capture", "circumstances", "signature", "document", "header"])
@pytest.mark.parametrize("how", ["removed", "altered", "under another key"])
def test_a_section_that_does_not_open_is_named_and_nothing_is_drawn_from_it(cast, console, told, name, how) -> None:
    sections = SealedSection.objects.filter(event__type="receipt.signed", name=name)
    if how == "removed":
        sections.delete()
    elif how == "altered":
        sections.update(sealed=b"x" * 60)
    else:
        sections.update(data_key=DataKey.objects.filter(purpose="file").first())
    shown = phone_of(cast.clerk).get(f"/api/v1/trace/{cast.buyer.uscc}/PO-1")[1]["verdict"]
    code = "section-missing" if how == "removed" else "section-changed"
    assert (code, name) in {(fault["code"], fault["field"]) for fault in shown["faults"]}
    page = console(cast.office, "en").get(told).text
    assert 'data-verdict="broken"' in page
    assert ('<circle class="signed"' in page) is (name != "capture")


def test_rows_that_were_removed_leave_a_page_that_misses_them(cast, console, told) -> None:
    with connection.cursor() as cursor, connection.constraint_checks_disabled():
        cursor.execute("DELETE FROM trade_receiptline")
        cursor.execute("DELETE FROM trade_despatchline")
        cursor.execute("DELETE FROM trade_orderline")
        page = console(cast.office, "en").get(told)
        status, shown = phone_of(cast.clerk).get(f"/api/v1/trace/{cast.buyer.uscc}/PO-1")
    assert (page.status_code, status, shown["verdict"]["state"]) == (200, 200, "broken")
    assert 'data-verdict="broken"' in page.text


def test_a_voucher_hidden_from_its_order_is_named(cast, console, told) -> None:
    for change in ({"order_id": None}, {"order_id": new_id()}, {"subject_id": new_id()}):
        with transaction.atomic():
            Voucher.objects.update(**change)
            assert 'data-verdict="broken"' in console(cast.office, "en").get(told).text, change
            transaction.set_rollback(True)


def test_a_checkpoint_that_is_none_makes_the_page_red(cast, console, told, ledger: Path) -> None:
    (ledger / "supply" / "checkpoint").write_bytes(b"\xff nothing\n")
    page = console(cast.office, "en").get(told)
    assert page.status_code == 200
    assert "the ledger cannot be read" in page.text


def test_an_error_that_no_row_explains_is_an_error(cast, console, told, monkeypatch) -> None:
    from backend.trade import tracing

    def broken(*_: Any, **__: Any) -> None:
        raise LookupError("a mistake of this product")

    monkeypatch.setattr(tracing.rendering, "order_summary", broken)
    with pytest.raises(LookupError, match="a mistake"):
        console(cast.office).get(told)
    assert StoredFile.objects.exists()
