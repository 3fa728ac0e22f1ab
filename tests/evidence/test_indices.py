"""Which event holds each index: a row put in another's place, a number taken away, an event anchored a second time."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from backend.core.events import number_waiting
from backend.core.ids import new_id
from backend.core.models import Event, SealedSection
from backend.core.sections import Section, seal_sections
from backend.evidence import indices, published
from backend.evidence.audit import check_subject
from backend.evidence.documents import voucher_document
from backend.evidence.models import Voucher
from backend.evidence.published import PublishedChain
from backend.ledger import commitment
from backend.ledger.tiles import WIDTH, read_bundle
from tests.evidence.conftest import Hand, photograph
from tests.evidence.test_audit import codes, full
from tests.forgery import put_in_its_place, reseal

Drain = Callable[[], None]


@pytest.fixture
def voucher(clerk: Hand, pallet: str, drain: Drain) -> Voucher:
    """An anchored voucher, between others."""
    for _ in range(3):
        clerk.attached(photograph(), pallet)
    drain()
    return Voucher.objects.order_by("id")[1]


def rewritten(voucher: Voucher, filename: str) -> Event:
    """Row, section and leaf of the voucher, all in agreement."""
    Voucher.objects.filter(id=voucher.id).update(filename=filename)
    document = voucher_document(Voucher.objects.get(id=voucher.id))
    return reseal(Event.objects.get(id=voucher.event_id), {"document": document})


def test_an_event_that_a_decoy_took_the_index_of_is_found_before_and_after_it_is_anchored_again(
    voucher: Voucher, drain: Drain
) -> None:
    event = Event.objects.get(id=voucher.event_id)
    put_in_its_place(event)
    rewritten(voucher, "other.jpg")
    assert codes(check_subject("voucher", voucher.id)) == {("index-changed", "index")}
    drain()
    assert Event.objects.get(id=event.id).index == 3, "numbered a second time"
    (fault,) = check_subject("voucher", voucher.id)
    assert (fault.code, fault.row, fault.detail) == (
        "index-changed",
        f"core.Event {event.id}",
        "the ledger has it at 1",
    )
    assert f"index-changed: core.Event {event.id} index (the ledger has it at 1)" in full()


def test_an_event_replaced_by_a_new_one_is_missed_at_its_index(voucher: Voucher, drain: Drain) -> None:
    """The forged event has an id of its own, and a decoy stands in the place of the true one."""
    event = Event.objects.get(id=voucher.event_id)
    decoy = put_in_its_place(event)
    forged = Event(id=new_id(), type=event.type, chain=event.chain, subject_type="voucher", subject_id=voucher.id)
    forged.actor_member, forged.actor_organisation, forged.time = (
        event.actor_member,
        event.actor_organisation,
        event.time,
    )
    Voucher.objects.filter(id=voucher.id).update(filename="other.jpg", event_id=forged.id)
    document = voucher_document(Voucher.objects.get(id=voucher.id))
    header = {
        "type": forged.type,
        "subject": {"type": "voucher", "id": str(voucher.id)},
        "version": 1,
        "actor": {"member": str(event.actor_member), "organisation": str(event.actor_organisation), "device": None},
    }
    commitments, rows = seal_sections(forged, {"header": Section(header), "document": Section(document)})
    forged.leaf = commitment.build_leaf(str(forged.id), "supply", forged.time, commitments)
    SealedSection.objects.filter(event=event).delete()
    Event.objects.filter(id=event.id).delete()
    forged.save(force_insert=True)
    SealedSection.objects.bulk_create(rows)
    drain()
    (fault,) = check_subject("voucher", voucher.id)
    assert (fault.code, fault.row) == ("event-missing", "chain supply")
    assert fault.detail == f"the event {decoy.id} has the index 1 of the event {event.id}"


def test_a_document_removed_without_a_trace_is_missed_by_the_others_when_a_decoy_keeps_the_count(
    voucher: Voucher, drain: Drain
) -> None:
    event = Event.objects.get(id=voucher.event_id)
    put_in_its_place(event)
    SealedSection.objects.filter(event=event).delete()
    voucher.delete()
    event.delete()
    other = Voucher.objects.order_by("id").first()
    assert other is not None
    assert codes(check_subject("voucher", other.id)) == {("event-missing", "index")}


@pytest.mark.parametrize("index", [None, 77, 0])
def test_a_moved_index_names_the_event_and_where_the_ledger_has_it(voucher: Voucher, index: int | None) -> None:
    if index == 0:
        Event.objects.filter(index=0).update(index=78)
    Event.objects.filter(id=voucher.event_id).update(index=index)
    moved = [
        fault
        for fault in check_subject("voucher", voucher.id)
        if (fault.code, fault.row) == ("index-changed", f"core.Event {voucher.event_id}")
    ]
    assert len(moved) == 1
    assert index == 0 or moved[0].detail == "the ledger has it at 1"


def test_what_is_not_published_yet_has_no_index_to_be_wrong(clerk: Hand, pallet: str, ledger: Path) -> None:
    clerk.attached(photograph(), pallet)
    number_waiting()
    assert check_subject("voucher", Voucher.objects.get().id) == []


@pytest.fixture
def long_ledger(
    clerk: Hand, pallet: str, happen: Callable[..., list[Event]], drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> Voucher:
    """A voucher near the beginning of a ledger that is many times longer than what is followed for one document."""
    monkeypatch.setattr(indices, "BUNDLES_FOLLOWED", 1)
    happen(WIDTH)
    clerk.attached(photograph(), pallet)
    happen(WIDTH * 4)
    drain()
    return Voucher.objects.get()


def test_a_verdict_looks_at_the_bundles_of_its_own_document_however_long_the_ledger_is(
    long_ledger: Voucher, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    compared: list[int] = []
    wrong_indices = indices.wrong_indices

    def compare(ids: Iterable[str], start: int, held: Mapping[int | None, str]) -> Iterator[indices.Wrong]:
        compared.append(start // WIDTH)
        return wrong_indices(ids, start, held)

    monkeypatch.setattr(indices, "wrong_indices", compare)
    with django_assert_max_num_queries(20):
        assert check_subject("voucher", long_ledger.id) == []
    assert compared == [0, 1, 2]
    assert PublishedChain("supply").bundles == 6


def test_the_ids_of_full_bundles_are_read_once_in_the_life_of_a_process(
    long_ledger: Voucher, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check_subject("voucher", long_ledger.id) == []
    read: list[int] = []
    monkeypatch.setattr(
        published, "read_bundle", lambda tiles, n, width: (read.append(n), read_bundle(tiles, n, width))[1]
    )
    assert check_subject("voucher", long_ledger.id) == []
    assert read == [1], "the one that holds the event's own entry, which is compared byte for byte"


def test_an_event_anchored_a_second_time_far_behind_is_found_where_the_ledger_first_had_it(
    long_ledger: Voucher, drain: Drain
) -> None:
    event = Event.objects.get(id=long_ledger.event_id)
    put_in_its_place(event)
    rewritten(long_ledger, "other.jpg")
    drain()
    (fault,) = check_subject("voucher", long_ledger.id)
    assert (fault.code, fault.index) == ("index-changed", WIDTH)


@pytest.mark.parametrize("damaged", ["entries/001", "1/000.p/5"])
def test_ids_are_not_believed_where_the_bundle_or_a_tile_does_not_lead_to_the_signed_root(
    long_ledger: Voucher, ledger: Path, damaged: str
) -> None:
    path = ledger / "supply" / "tile" / damaged
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert {fault.code for fault in check_subject("voucher", long_ledger.id)} == {"ledger-unreadable"}
