"""What a document said at each version is kept as it was, and nothing refers to a version that never was."""

import importlib

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction

from backend.core.clock import now
from backend.core.events import emit
from backend.core.ids import from_typeid, new_id
from backend.core.models import Event
from backend.trade import documents
from backend.trade.models import DocumentVersion, PurchaseOrder
from backend.trade.services.versions import NoSuchVersion
from tests.cast import Cast, confirmed_order, despatched, issued_order, office, phone_of
from tests.phone import Phone

pytestmark = pytest.mark.django_db


def test_each_document_keeps_its_first_version_with_the_event_that_brought_it(
    cast: Cast, clerk: Phone, sales: Phone
) -> None:
    order = confirmed_order(cast, clerk, sales)
    sent = despatched(cast, order, sales)
    status, receipt = clerk.sign("/api/v1/receipts/", clerk.receipt_act(sent))
    assert status == 201, receipt
    status, answer = sales.get(f"/api/v1/orders/{order['id']}/versions")
    assert status == 200, answer
    kept = [(row["subject"], row["type"], row["version"], row["digest"]) for row in answer["results"]]
    assert kept == [
        (receipt["id"], "receipt", 1, receipt["digest"]),
        (sent["id"], "despatch", 1, sent["digest"]),
        (order["id"], "order", 1, order["digest"]),
    ]
    assert [row["document"] for row in answer["results"]] == [row["document"] for row in (receipt, sent, order)]
    types = Event.objects.in_bulk(list(DocumentVersion.objects.values_list("event_id", flat=True))).values()
    assert {event.type for event in types} == {"order.issued", "despatch.despatched", "receipt.signed"}


def test_another_firms_versions_look_like_none(cast: Cast, clerk: Phone, sales: Phone, driver: Phone) -> None:
    order = confirmed_order(cast, clerk, sales)
    despatched(cast, order, sales)
    path = f"/api/v1/orders/{order['id']}/versions"
    assert [phone.get(path)[0] for phone in (phone_of(cast.risk), driver, phone_of(cast.stranger))] == [200, 404, 404]


def test_an_event_of_a_version_that_never_was_is_not_recorded(cast: Cast) -> None:
    order, before = issued_order(cast), Event.objects.count()
    with pytest.raises(NoSuchVersion), transaction.atomic():
        emit(type="order.signed", chain="supply", subject=("order", order.id), by=office(cast.office), version=2)
    assert Event.objects.count() == before
    with transaction.atomic():
        emit(type="order.signed", chain="supply", subject=("order", order.id), by=office(cast.office), version=1)
    assert Event.objects.count() == before + 1


def test_a_version_is_made_once(cast: Cast) -> None:
    order = issued_order(cast)
    row = DocumentVersion.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        DocumentVersion.objects.create(
            order=order,
            subject_type="order",
            subject_id=order.id,
            version=1,
            document={},
            digest="",
            at=now(),
            event_id=new_id(),
        )
    assert DocumentVersion.objects.get() == row
    assert row.digest == documents.digest(row.document)


def test_an_act_without_its_row_of_a_version_leaves_neither(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.trade.services.orders.keep_version", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        issued_order(cast)
    assert not PurchaseOrder.objects.exists()
    assert not Event.objects.filter(type="order.issued").exists()


def test_versions_are_read_by_cursor(cast: Cast, clerk: Phone, sales: Phone) -> None:
    order = confirmed_order(cast, clerk, sales)
    despatched(cast, order, sales)
    status, page = clerk.get(f"/api/v1/orders/{order['id']}/versions?limit=1")
    assert (status, len(page["results"])) == (200, 1)
    assert page["next"]
    assert DocumentVersion.objects.filter(order=from_typeid("ord", order["id"])).count() == 2


def test_documents_of_before_get_the_version_that_their_event_sealed(cast: Cast, clerk: Phone, sales: Phone) -> None:
    order = confirmed_order(cast, clerk, sales)
    sent = despatched(cast, order, sales)
    assert clerk.sign("/api/v1/receipts/", clerk.receipt_act(sent))[0] == 201
    facts = ("order_id", "subject_type", "subject_id", "version", "document", "digest", "reason", "at", "event_id")
    before = list(DocumentVersion.objects.order_by("at", "subject_type").values(*facts))
    assert len(before) == 3
    DocumentVersion.objects.all().delete()
    migration = importlib.import_module("backend.trade.migrations.0007_first_versions")
    for _ in range(2):
        migration.keep_first_versions(apps, None)
        assert list(DocumentVersion.objects.order_by("at", "subject_type").values(*facts)) == before
