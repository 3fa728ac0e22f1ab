"""Somebody with the whole database in his hands: each way to rewrite it turns the verdict red and is named."""

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction

from backend.core import data_keys, sealed
from backend.core.events import number_waiting
from backend.core.ids import new_id
from backend.core.models import DataKey, Event, SealedSection
from backend.core.sections import Section, open_row
from backend.evidence import vault
from backend.evidence.audit import check_event, check_subject
from backend.evidence.documents import voucher_document
from backend.evidence.faults import Fault
from backend.evidence.models import StoredFile, Upload, Voucher
from backend.ledger import canonical, commitment
from backend.ledger.checkpoint import parse_checkpoint, sign_checkpoint
from backend.ledger.note import generate_signer
from tests.evidence.conftest import Hand, photograph
from tests.forgery import reseal


def sealed_by_hand(event: Event, name: str, section: Section, salt: bytes) -> SealedSection:
    """A section as somebody would seal it who holds the keys and writes to the database."""
    scope = section.scope or f"{event.subject_type}:{event.subject_id}"
    key = data_keys.data_key(person=section.person, purpose=section.purpose, scope=scope)
    plain = salt + canonical.dumps(section.content)
    nonce, sealed = data_keys.seal(data_keys.unwrap(key), plain, f"{event.id}\n{name}\n{key.id}".encode())
    return SealedSection(event=event, name=name, data_key=key, nonce=nonce, sealed=sealed)


@pytest.fixture
def voucher(clerk: Hand, pallet: str, drain: Callable[[], None]) -> Voucher:
    """An anchored voucher, between others."""
    for _ in range(3):
        clerk.attached(photograph(), pallet)
    drain()
    return Voucher.objects.order_by("id")[1]


def codes(faults: list[Fault]) -> set[tuple[str, str]]:
    return {(fault.code, fault.field) for fault in faults}


def verdict(voucher: Voucher) -> list[Fault]:
    return check_subject("voucher", voucher.id)


def full() -> str:
    """What `ledger audit` prints; it fails when it prints a fault."""
    printed = io.StringIO()
    with pytest.raises(CommandError):
        call_command("ledger", "audit", stdout=printed)
    return printed.getvalue()


def test_what_nobody_touched_is_sound(voucher: Voucher) -> None:
    assert verdict(voucher) == []
    printed = io.StringIO()
    call_command("ledger", "audit", stdout=printed)
    assert printed.getvalue().startswith("ok")
    call_command("ledger", "verify", stdout=printed)
    call_command("ledger", "stats", stdout=printed)
    assert "/supply, size 3" in printed.getvalue()


def test_what_waits_is_sound_too(clerk: Hand, pallet: str, ledger: Path) -> None:
    clerk.attached(photograph(), pallet)
    waiting = Voucher.objects.get()
    assert verdict(waiting) == []
    number_waiting()
    assert verdict(waiting) == []
    Voucher.objects.update(filename="other.jpg")
    assert codes(verdict(waiting)) == {("row-changed", "filename")}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "contract"}, "kind"),
        ({"filename": "other.jpg"}, "filename"),
        ({"source": "album"}, "source"),
        ({"subject_id": new_id()}, "subject.id"),
        ({"order_id": new_id()}, "order"),
    ],
)
def test_a_rewritten_row_is_named_with_its_field(voucher: Voucher, changes: dict[str, Any], field: str) -> None:
    Voucher.objects.filter(id=voucher.id).update(**changes)
    (fault,) = verdict(voucher)
    assert (fault.code, fault.row, fault.field) == ("row-changed", f"evidence.Voucher {voucher.id}", field)
    assert fault.expected != fault.found
    assert f"row-changed: evidence.Voucher {voucher.id} {field}" in full()


def test_a_rewritten_digest_of_the_file_is_found_by_row_and_by_file(voucher: Voucher) -> None:
    StoredFile.objects.filter(id=voucher.file_id).update(sha256="0" * 64)
    assert codes(verdict(voucher)) == {("row-changed", "sha256")}
    assert f"file-changed: evidence.StoredFile {voucher.file_id}" in full()


def forge(voucher: Voucher, filename: str) -> Event:
    """Rewrites row, section, commitment and leaf, all in agreement with one another."""
    Voucher.objects.filter(id=voucher.id).update(filename=filename)
    document = voucher_document(Voucher.objects.get(id=voucher.id))
    return reseal(Event.objects.get(id=voucher.event_id), {"document": document})


def test_row_section_and_event_rewritten_together_still_turn_red(voucher: Voucher) -> None:
    event = forge(voucher, "other.jpg")
    commitment.check_section(
        bytes(event.leaf), "document", *_opened(event, "document")
    )  # the forgery is perfect by itself
    assert codes(verdict(voucher)) == {("leaf-changed", "leaf"), ("section-changed", "document")}
    assert "leaf-changed" in full()


def _opened(event: Event, name: str) -> tuple[bytes, Any]:
    section = open_row(SealedSection.objects.select_related("data_key").get(event=event, name=name))
    return section.salt, section.content


def test_a_section_written_again_with_its_key_does_not_meet_the_commitment(voucher: Voucher) -> None:
    Voucher.objects.filter(id=voucher.id).update(filename="other.jpg")
    event = Event.objects.get(id=voucher.event_id)
    old = SealedSection.objects.select_related("data_key").get(event=event, name="document")
    document = Section(voucher_document(Voucher.objects.get(id=voucher.id)), scope=old.data_key.scope)
    new = sealed_by_hand(event, "document", document, open_row(old).salt)
    SealedSection.objects.filter(id=old.id).update(nonce=new.nonce, sealed=new.sealed)
    assert codes(verdict(voucher)) == {("section-changed", "document")}


def test_a_changed_byte_of_a_section_is_found(voucher: Voucher) -> None:
    row = SealedSection.objects.get(event_id=voucher.event_id, name="capture")
    changed = bytearray(bytes(row.sealed))
    changed[3] ^= 1
    SealedSection.objects.filter(id=row.id).update(sealed=bytes(changed))
    assert codes(verdict(voucher)) == {("section-changed", "capture")}


def test_a_removed_section_is_found(voucher: Voucher) -> None:
    SealedSection.objects.filter(event_id=voucher.event_id, name="document").delete()
    assert ("section-missing", "document") in codes(verdict(voucher))


def test_an_added_section_is_found(voucher: Voucher) -> None:
    event = Event.objects.get(id=voucher.event_id)
    sealed_by_hand(event, "act", Section({"amount": "1"}), commitment.new_salt()).save()
    assert ("section-unknown", "act") in codes(verdict(voucher))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": "voucher.removed"}, "type"),
        ({"version": 2}, "version"),
        ({"actor_member": new_id()}, "actor.member"),
        ({"actor_organisation": None}, "actor.organisation"),
        ({"actor_device": new_id()}, "actor.device"),
    ],
)
def test_a_rewritten_event_is_named_with_its_field(voucher: Voucher, changes: dict[str, Any], field: str) -> None:
    Event.objects.filter(id=voucher.event_id).update(**changes)
    (fault,) = verdict(voucher)
    assert (fault.code, fault.row, fault.field) == ("event-changed", f"core.Event {voucher.event_id}", field)
    assert f"core.Event {voucher.event_id} {field}" in full()


def test_a_rewritten_time_of_an_event_is_found(voucher: Voucher) -> None:
    event = Event.objects.get(id=voucher.event_id)
    Event.objects.filter(id=event.id).update(time=event.time - timedelta(days=1))
    assert codes(verdict(voucher)) == {("event-changed", "time")}


def test_an_event_given_to_another_document_leaves_its_row_behind(voucher: Voucher) -> None:
    Event.objects.filter(id=voucher.event_id).update(subject_id=new_id())
    assert verdict(voucher) != []
    assert f"core.Event {voucher.event_id} subject.id" in full()


def test_a_changed_index_is_found(voucher: Voucher) -> None:
    Event.objects.filter(id=voucher.event_id).update(index=77)
    assert codes(verdict(voucher)) == {("events-missing", ""), ("index-changed", "index")}
    assert f"index-changed: core.Event {voucher.event_id} index (the ledger has it at 1)" in full()


def test_two_events_with_their_indices_exchanged_are_found(voucher: Voucher) -> None:
    first, second = Event.objects.order_by("index")[:2]
    Event.objects.filter(id=first.id).update(index=100)
    Event.objects.filter(id=second.id).update(index=first.index)
    Event.objects.filter(id=first.id).update(index=second.index)
    assert codes(verdict(voucher)) == {("leaf-changed", "leaf"), ("index-changed", "index")}


def test_an_event_whose_number_was_taken_away_is_found(voucher: Voucher) -> None:
    """It would be numbered and anchored a second time; the ledger remembers the first."""
    Event.objects.filter(id=voucher.event_id).update(index=None, position=None)
    assert ("events-missing", "") in codes(verdict(voucher))
    number_waiting()
    assert ("events-missing", "") in codes(verdict(voucher))


def test_a_removed_event_is_found(voucher: Voucher) -> None:
    SealedSection.objects.filter(event_id=voucher.event_id).delete()
    Event.objects.filter(id=voucher.event_id).delete()
    assert codes(verdict(voucher)) == {("events-missing", ""), ("event-missing", "index"), ("row-unknown", "")}
    printed = full()
    assert f"event-missing: chain supply index (no event has the index 1 of the event {voucher.event_id})" in printed
    assert f"row-unknown: evidence.Voucher {voucher.id}" in printed


def test_an_event_taken_off_its_chain_is_found(voucher: Voucher) -> None:
    Event.objects.filter(id=voucher.event_id).update(chain=None, leaf=None, index=None)
    assert ("events-missing", "") in codes(verdict(voucher))
    assert ("row-unknown", "") in codes(verdict(voucher))


def test_a_removed_row_is_found(voucher: Voucher) -> None:
    voucher.delete()
    assert codes(check_event(Event.objects.get(id=voucher.event_id))) == {("row-missing", "")}


def test_a_row_that_was_slipped_in_is_found(voucher: Voucher, ledger: Path) -> None:
    slipped = Voucher.objects.get(id=voucher.id)
    slipped.id, slipped.event_id, slipped.subject_id = new_id(), new_id(), new_id()
    slipped.save(force_insert=True)
    assert codes(check_subject("voucher", slipped.id)) == {("row-unknown", "")}
    assert f"row-unknown: evidence.Voucher {slipped.id}" in full()


def test_a_tile_or_a_bundle_rewritten_with_the_database_does_not_help(voucher: Voucher, ledger: Path) -> None:
    event = forge(voucher, "other.jpg")
    bundle = ledger / "supply" / "tile" / "entries" / "000.p" / "3"
    leaf = bytes(event.leaf)
    entries = [bytes(row.leaf) for row in Event.objects.order_by("index")]
    assert entries[event.index] == leaf
    bundle.write_bytes(b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries))
    assert {fault.code for fault in verdict(voucher)} == {"ledger-unreadable"}
    assert "ledger-unreadable" in full()


def test_a_checkpoint_of_another_key_is_not_believed(voucher: Voucher, ledger: Path) -> None:
    path = ledger / "supply" / "checkpoint"
    true = parse_checkpoint(path.read_bytes())
    path.write_bytes(sign_checkpoint(true.size, true.root, generate_signer(true.origin)).note)
    assert {fault.code for fault in verdict(voucher)} == {"ledger-unreadable"}


def test_an_erased_capture_is_no_fault_and_an_erased_document_is(voucher: Voucher) -> None:
    capture = SealedSection.objects.get(event_id=voucher.event_id, name="capture")
    assert data_keys.destroy(capture.data_key_id)
    assert verdict(voucher) == []
    document = SealedSection.objects.get(event_id=voucher.event_id, name="document")
    assert data_keys.destroy(document.data_key_id)
    assert ("section-erased", "document") in codes(verdict(voucher))


def test_a_file_that_is_gone_or_changed_is_named(voucher: Voucher) -> None:
    gone, changed = StoredFile.objects.order_by("id")[:2]
    (vault.folder() / vault.names(gone.id)["original"]).unlink()
    path = vault.folder() / vault.names(changed.id)["original"]
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    printed = full()
    assert f"file-missing: evidence.StoredFile {gone.id}" in printed
    assert f"file-changed: evidence.StoredFile {changed.id}" in printed


def test_another_files_ciphertext_put_in_its_place_is_found(voucher: Voucher) -> None:
    one, other = StoredFile.objects.order_by("id")[:2]
    place = {stored: vault.folder() / vault.names(stored.id)["original"] for stored in (one, other)}
    place[one].write_bytes(place[other].read_bytes())
    StoredFile.objects.filter(id=one.id).update(data_key=other.data_key_id)
    assert f"file-changed: evidence.StoredFile {one.id}" in full()


def test_a_row_that_rests_on_one_event_is_compared_with_that_events_section(
    monkeypatch: pytest.MonkeyPatch, happen: Callable[..., list[Event]], drain: Callable[[], None], clerk: Hand
) -> None:
    """As signatures are sealed: the row names its event, and every event of the type has its row."""
    clerk.announce(b"12345")
    row = Upload.objects.get()
    (event,) = happen(1, event_id=row.id, type="test.signed", sections={"act": Section({"size": row.size})})
    drain()
    declared = sealed.SealedModel(
        Upload, lambda row: {"size": row.size}, "act", event_field="id", types=frozenset({"test.signed"})
    )
    monkeypatch.setattr(sealed, "_declared", [declared])
    assert check_event(event) == []
    Upload.objects.update(size=6)
    assert codes(check_event(event)) == {("row-changed", "size")}
    Upload.objects.all().delete()
    assert codes(check_event(event)) == {("row-missing", "id")}


def test_a_newer_version_hidden_under_another_document_is_found(
    monkeypatch: pytest.MonkeyPatch, happen: Callable[..., list[Event]], drain: Callable[[], None], clerk: Hand
) -> None:
    """The row is set back to its first version, and the event of the second is given to another document."""
    clerk.announce(b"12345")
    row = Upload.objects.get()
    for version, size in ((1, 5), (2, 6)):
        happen(1, subject=("upload", row.id), version=version, sections={"document": Section({"size": size})})
    drain()
    declared = sealed.SealedModel(Upload, lambda row: {"size": row.size}, subject_type="upload")
    monkeypatch.setattr(sealed, "_declared", [declared])
    Upload.objects.update(size=6)
    assert check_subject("upload", row.id) == []
    Upload.objects.update(size=5)
    assert codes(check_subject("upload", row.id)) == {("row-changed", "size")}
    Event.objects.filter(version=2).update(subject_id=new_id())
    assert ("event-changed", "subject.id") in codes(check_subject("upload", row.id))


def test_a_declaration_says_what_its_rows_rest_on() -> None:
    with pytest.raises(ValueError, match="subject_type"):
        sealed.sealed(Voucher, voucher_document)
    with pytest.raises(ValueError, match="types"):
        sealed.sealed(Voucher, voucher_document, event_field="event_id")


def test_a_row_that_cannot_be_read_any_more_is_a_fault(voucher: Voucher) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE evidence_storedfile SET mime = 'x'")
    assert codes(verdict(voucher)) == {("row-changed", "mime")}


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="other databases do not take a text where something else belongs"
)
@pytest.mark.parametrize(
    ("table", "column", "named"),
    [
        ("core_event", "time", "event-changed: core.Event {event} time"),
        ("core_event", "leaf", "event-changed: core.Event {event} leaf"),
        ("core_event", "actor_member", "event-changed: core.Event {event} actor_member"),
        ("core_sealedsection", "data_key_id", "event-changed: core.Event {event} sections.data_key"),
        ("core_sealedsection", "sealed", "section-changed: core.Event {event} document"),
        ("evidence_voucher", "created_at", "row-changed: evidence.Voucher {voucher} created_at"),
        ("evidence_voucher", "order_id", "row-changed: evidence.Voucher {voucher} order_id"),
        ("evidence_voucher", "member_id", "row-changed: evidence.Voucher {voucher} member"),
        ("evidence_storedfile", "size", "row-changed: evidence.Voucher {voucher} size"),
        ("evidence_storedfile", "data_key_id", "row-changed: evidence.StoredFile {file} data_key"),
    ],
)
def test_a_word_where_none_belongs_is_named_with_its_row_and_column(
    voucher: Voucher, table: str, column: str, named: str
) -> None:
    row = {"core_event": "id", "core_sealedsection": "event_id"}.get(table, "id")
    key = {"evidence_voucher": voucher.id, "evidence_storedfile": voucher.file_id}.get(table, voucher.event_id)
    expected = named.format(event=voucher.event_id, voucher=voucher.id, file=voucher.file_id)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {column} = 'zz' WHERE {row} = %s", [key.hex])
        assert cursor.rowcount
        assert expected in full()
        if "StoredFile" not in named:
            assert expected in [str(fault).partition(" (")[0] for fault in verdict(voucher)]
        transaction.set_rollback(True)


def test_keys_of_files_are_apart(voucher: Voucher) -> None:
    assert DataKey.objects.filter(purpose="file").count() == StoredFile.objects.count() == 3
