import json

import pytest
from django.db import DatabaseError, transaction
from django.db.transaction import TransactionManagementError
from django.db.utils import IntegrityError

from backend.core import events
from backend.core.events import SYSTEM, Actor, emit
from backend.core.ids import new_id, typed
from backend.core.models import LEAF_LIMIT, Event, SealedSection
from backend.core.push import Push
from backend.core.sections import Section, open_section
from backend.ledger import commitment
from backend.ledger.errors import SectionMismatch
from tests.core.conftest import real_transactions, record

pytestmark = pytest.mark.django_db


def test_the_leaf_commits_to_each_section_and_to_nothing_readable() -> None:
    event = record(sections={"document": Section({"no": "PO-1", "amount": "12.00"})})[0]
    leaf = commitment.parse_leaf(bytes(event.leaf))
    assert (leaf.event_id, leaf.chain) == (str(event.id), "supply")
    assert set(leaf.commitments) == {"header", "document"}
    for name in leaf.commitments:
        opened = open_section(event.id, name)
        commitment.check_section(bytes(event.leaf), name, opened.salt, opened.content)
    with pytest.raises(SectionMismatch):
        commitment.check_section(bytes(event.leaf), "document", open_section(event.id, "document").salt, {"no": "PO-2"})
    assert b"PO-1" not in bytes(event.leaf)


def test_the_header_says_what_happened_to_what_by_whom() -> None:
    by = Actor(person=new_id(), member=new_id(), organisation=new_id(), device=new_id(), assurance="L2", ip="192.0.2.7")
    order = new_id()
    event = record(type="order.signed", subject=("pallet", order), by=by, version=3)[0]
    header = open_section(event.id, "header").content
    assert header == {
        "type": "order.signed",
        "subject": {"type": "pallet", "id": str(order)},
        "version": 3,
        "actor": {
            "member": str(by.member),
            "organisation": str(by.organisation),
            "device": str(by.device),
            "assurance": "L2",
        },
    }
    assert "192.0.2.7" not in json.dumps(header)


def test_what_a_rooms_guard_refuses_is_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def refuse(event: Event) -> None:
        seen.append(f"{event.type} {event.subject_type} {event.version}")
        if event.version == 2:
            raise LookupError

    monkeypatch.setattr(events, "_guards", [refuse])
    record(version=1)
    with pytest.raises(LookupError):
        record(version=2)
    assert seen == ["test.happened pallet 1", "test.happened pallet 2"]
    assert list(Event.objects.values_list("version", flat=True)) == [1]
    assert SealedSection.objects.count() == 1


def test_an_event_without_a_chain_has_no_leaf_and_no_sections() -> None:
    event = record(chain=None)[0]
    assert event.leaf is None and not SealedSection.objects.filter(event=event).exists()


def test_the_database_refuses_a_leaf_that_no_entry_of_the_ledger_could_hold() -> None:
    event = record()[0]
    Event.objects.filter(id=event.id).update(leaf=b"x" * LEAF_LIMIT)
    with pytest.raises(IntegrityError), transaction.atomic():
        Event.objects.filter(id=event.id).update(leaf=b"x" * (LEAF_LIMIT + 1))


@pytest.mark.parametrize(
    "change", [{"leaf": None}, {"chain": None}], ids=["a chain's without a leaf", "a leaf without a chain"]
)
def test_the_database_refuses_half_an_event(change: dict) -> None:
    event = record()[0]
    with pytest.raises(IntegrityError), transaction.atomic():
        Event.objects.filter(id=event.id).update(**change)


def test_two_events_of_a_chain_never_share_an_index() -> None:
    first, second = record(2)
    Event.objects.filter(id=first.id).update(index=0)
    with pytest.raises(IntegrityError), transaction.atomic():
        Event.objects.filter(id=second.id).update(index=0)


@real_transactions
def test_an_event_is_recorded_in_a_transaction_only(sequences: None) -> None:
    with pytest.raises(TransactionManagementError):
        emit(type="test.happened", chain=None, subject=("pallet", new_id()), by=SYSTEM)
    assert not Event.objects.exists()


@real_transactions
def test_what_is_rolled_back_leaves_no_event_and_wakes_nobody(sequences: None, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[bool] = []
    monkeypatch.setattr(events, "wake", lambda: woken.append(True))
    with pytest.raises(DatabaseError), transaction.atomic():
        emit(type="test.happened", chain="supply", subject=("pallet", new_id()), by=SYSTEM)
        raise DatabaseError
    assert not Event.objects.exists() and not SealedSection.objects.exists() and woken == []
    record()
    assert woken == [True]


@real_transactions
def test_the_audience_is_told_by_ids_after_the_commit(sequences: None, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Push] = []
    monkeypatch.setattr(events.push, "send_now", told.extend)
    buyer, order, other = new_id(), new_id(), new_id()
    payload = {"order": str(order), "event": str(other), "amount": "12.00"}
    (event,) = record(type="order.signed", subject=("pallet", order), audience=[buyer, buyer], payload=payload)
    ids = {"type_": "order.signed", "event": typed("event", event.id), "order": typed("order", order)}
    assert told == [Push((buyer,), "pallet.changed", ids)]


@real_transactions
def test_who_may_open_another_document_is_told_of_that_one(sequences: None, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Push] = []
    monkeypatch.setattr(events.push, "send_now", told.extend)
    buyer, factory, carrier, upper, lower = (new_id() for _ in range(5))
    (event,) = record(
        type="alert.raised",
        subject=("alert", upper),
        audience=[buyer, factory, carrier],
        payload={"order": str(upper)},
        told={factory: {"order": lower}, carrier: {"order": None}},
    )
    named = {one.audience[0]: one.ids.get("order") for one in told}
    assert named == {buyer: typed("order", upper), factory: typed("order", lower), carrier: None}
    assert events.ids_told(event, str(factory)) == {"order": typed("order", lower), "event": typed("event", event.id)}
