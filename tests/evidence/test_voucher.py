import hashlib
import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from backend.core.errors import Forbidden
from backend.core.ids import from_typeid, typed
from backend.core.models import Event, SealedSection
from backend.core.sealed import declared
from backend.core.sections import open_section
from backend.evidence import errors, services, subjects
from backend.evidence.documents import voucher_document
from backend.evidence.models import StoredFile, Upload, Voucher
from backend.ledger.commitment import check_section
from tests.evidence.conftest import Hand, pdf, photograph, placed


def test_a_voucher_is_shown_to_both_sides_with_its_place_in_the_ledger(
    clerk: Hand, sales: Hand, pallet: str, drain: Callable[[], None]
) -> None:
    data = photograph()
    voucher = sales.attached(data, pallet)
    assert {key: voucher[key] for key in ("kind", "subject", "filename", "mime", "size", "sha256", "source")} == {
        "kind": "delivery_document",
        "subject": pallet,
        "filename": "送货单 1.jpg",
        "mime": "image/jpeg",
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "source": "camera",
    }
    assert voucher["organisation"]["name"] == "Sales Ltd"
    assert voucher["anchor"]["state"] == "waiting"
    assert voucher["anchor"]["proof_url"] is None
    drain()
    (listed,) = clerk.get(f"/api/v1/vouchers/?subject={pallet}").json()["results"]
    assert listed["anchor"] | {"event": "", "proof_url": ""} == {
        "event": "",
        "state": "anchored",
        "chain": "supply",
        "index": 0,
        "proof_url": "",
    }
    assert clerk.client.get(listed["anchor"]["proof_url"]).status_code == 200
    assert clerk.get(f"/api/v1/vouchers/{voucher['id']}/").json() == listed


def test_the_event_commits_to_the_document_and_keeps_the_capture_for_its_person(clerk: Hand, pallet: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    clerk.attached(photograph(exif=exif), pallet)
    voucher = Voucher.objects.get()
    event = Event.objects.get(id=voucher.event_id)
    assert (event.type, event.subject_type, event.subject_id) == ("voucher.attached", "voucher", voucher.id)
    assert event.audience == [str(party) for party in subjects.find(clerk.actor, pallet).audience]
    document = open_section(event.id, "document")
    assert document.content == voucher_document(voucher)
    check_section(bytes(event.leaf), "document", document.salt, document.content)
    capture = open_section(event.id, "capture").content
    assert capture["captured_at"] == "2026-11-23T10:00:00.000Z"
    assert capture["file"]["make"] == "Maker"
    assert SealedSection.objects.get(event=event, name="capture").data_key.person == clerk.member.person_id
    assert "Maker" not in str(document.content) + str(event.payload)


def test_who_may_not_see_the_document_sees_no_voucher_of_it(clerk: Hand, stranger: Hand, pallet: str) -> None:
    voucher = clerk.attached(photograph(), pallet)
    own = stranger.send(photograph()).json()["id"]
    answers = [
        stranger.get(f"/api/v1/vouchers/?subject={pallet}"),
        stranger.get(f"/api/v1/vouchers/{voucher['id']}/"),
        stranger.get(voucher["content_url"]),
        stranger.get(voucher["view_url"]),
        stranger.get(f"/api/v1/events/{voucher['anchor']['event']}/"),
        stranger.attach(own, pallet),
    ]
    assert [answer.status_code for answer in answers] == [404] * 6
    assert {answer.json()["code"] for answer in answers} == {"not-found"}
    assert Voucher.objects.count() == 1


def test_another_persons_upload_cannot_be_attached(clerk: Hand, sales: Hand, pallet: str) -> None:
    upload = sales.send(photograph()).json()["id"]
    assert clerk.attach(upload, pallet).status_code == 404
    assert not Voucher.objects.exists()


def test_a_file_that_has_not_arrived_cannot_be_attached(clerk: Hand, pallet: str) -> None:
    upload = clerk.announce(photograph()).json()["id"]
    answer = clerk.attach(upload, pallet)
    assert (answer.status_code, answer.json()["code"]) == (409, "upload-unfinished")
    assert not Event.objects.filter(type="voucher.attached").exists()


def test_a_file_is_attached_to_a_document_once(clerk: Hand, pallet: str) -> None:
    upload = clerk.send(photograph()).json()["id"]
    assert clerk.attach(upload, pallet).status_code == 201
    answer = clerk.attach(upload, pallet)
    assert (answer.status_code, answer.json()["code"]) == (409, "already-attached")
    assert Voucher.objects.count() == Event.objects.filter(type="voucher.attached").count() == 1


def test_a_company_attaches_only_so_many_files_to_one_document(
    clerk: Hand, sales: Hand, pallet: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "VOUCHERS_A_DOCUMENT", 1)
    clerk.attached(photograph(), pallet)
    answer = clerk.attach(clerk.send(photograph()).json()["id"], pallet)
    assert (answer.status_code, answer.json()["code"]) == (422, "rule-broken")
    sales.attached(photograph(), pallet)
    assert Voucher.objects.count() == 2, "the other side has a bound of its own"


@pytest.mark.parametrize("changes", [{"kind": "poem"}, {"upload": "ord_1"}, {"subject": None}])
def test_a_malformed_voucher_is_refused_by_field(clerk: Hand, pallet: str, changes: dict[str, Any]) -> None:
    upload = clerk.send(photograph()).json()["id"]
    answer = clerk.post("/api/v1/vouchers/", {"upload": upload, "kind": "photo", "subject": pallet} | changes)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == list(changes)


@pytest.mark.parametrize(
    "subject", ["", "nonsense", "xyz_01jdaaaaaaaaaaaaaaaaaaaaaa", "plt_01jdaaaaaaaaaaaaaaaaaaaaaa"]
)
def test_a_document_that_is_not_there_has_no_vouchers(clerk: Hand, pallet: str, subject: str) -> None:
    assert clerk.get(f"/api/v1/vouchers/?subject={subject}").status_code == (404 if subject else 400)


def test_another_service_attaches_within_its_own_transaction_and_knows_the_digest(clerk: Hand, pallet: str) -> None:
    data = photograph()
    upload = from_typeid("upl", clerk.send(data).json()["id"])
    subject = ("pallet", from_typeid("plt", pallet))
    with pytest.raises(errors.DigestMismatch):
        services.attach_voucher(by=clerk.actor, upload_id=upload, kind="photo", subject=subject, sha256="0" * 64)
    digest = hashlib.sha256(data).hexdigest()
    services.attach_voucher(by=clerk.actor, upload_id=upload, kind="photo", subject=subject, sha256=digest)
    assert Voucher.objects.get().kind == "photo"


def test_who_may_only_look_cannot_attach(clerk: Hand, pallet: str, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix, resolve = subjects._kinds["pallet"]

    def look_only(by: Any, subject_id: Any) -> subjects.Subject:
        found = resolve(by, subject_id)
        return subjects.Subject(found.id, None, found.audience, may_attach=False)

    monkeypatch.setitem(subjects._kinds, "pallet", (prefix, look_only))
    upload = clerk.send(photograph()).json()["id"]
    answer = clerk.attach(upload, pallet)
    assert (answer.status_code, answer.json()["code"]) == (403, Forbidden.code)


def test_the_original_is_a_download_and_the_view_a_picture(clerk: Hand, sales: Hand, pallet: str) -> None:
    data = photograph(2400, 1200, "PNG")
    voucher = sales.attached(data, pallet, "image/png", filename='送货 "单" 1.png')
    content, view = clerk.get(voucher["content_url"]), clerk.get(voucher["view_url"])
    assert content.content == data
    assert content["Content-Type"] == "image/png"
    assert content["Content-Disposition"] == (
        "attachment; filename=\"__ ___ 1.png\"; filename*=UTF-8''%E9%80%81%E8%B4%A7%20%22%E5%8D%95%22%201.png"
    )
    assert view["Content-Type"] == "image/jpeg"
    assert view["Content-Disposition"].startswith("inline")
    assert Image.open(io.BytesIO(view.content)).size == (2000, 1000)
    for answer in (content, view):
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cache-Control"] == "private, no-store"
        assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_an_original_that_tells_where_it_was_taken_is_for_the_side_that_attached_it(
    clerk: Hand, sales: Hand, pallet: str
) -> None:
    data = placed()
    voucher = clerk.attached(data, pallet)
    own = clerk.get(f"/api/v1/vouchers/{voucher['id']}/").json()
    assert own["content_url"] == voucher["content_url"] == f"/api/v1/vouchers/{voucher['id']}/content"
    assert clerk.get(own["content_url"]).content == data

    (listed,) = sales.get(f"/api/v1/vouchers/?subject={pallet}").json()["results"]
    assert listed == sales.get(f"/api/v1/vouchers/{voucher['id']}/").json() == own | {"content_url": None}
    refused = sales.get(own["content_url"])
    assert (refused.status_code, refused.json()["code"]) == (403, "original-holds-place")
    view = sales.get(refused.json()["view_url"])
    assert view.status_code == 200 and not Image.open(io.BytesIO(view.content)).getexif()


def test_an_original_that_tells_no_place_is_for_both_sides(clerk: Hand, sales: Hand, pallet: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    data = photograph(exif=exif)
    clerk.attached(data, pallet)
    (listed,) = sales.get(f"/api/v1/vouchers/?subject={pallet}").json()["results"]
    assert sales.get(listed["content_url"]).content == data


def test_a_file_whose_facts_nobody_can_read_is_held_to_tell_a_place(clerk: Hand, sales: Hand, pallet: str) -> None:
    voucher = clerk.attached(photograph(), pallet)
    StoredFile.objects.update(facts=b"x" * 60)
    assert sales.get(voucher["content_url"]).json()["code"] == "original-holds-place"
    (listed,) = sales.get(f"/api/v1/vouchers/?subject={pallet}").json()["results"]
    assert listed["content_url"] is None


def test_a_pdf_is_viewed_as_it_is(clerk: Hand, pallet: str) -> None:
    voucher = clerk.attached(pdf(), pallet, "application/pdf", filename="合同.pdf")
    view = clerk.get(voucher["view_url"])
    assert view.content == pdf()
    assert view["Content-Type"] == "application/pdf"
    assert view["Content-Disposition"].startswith("inline")


def test_an_event_is_shown_to_its_audience(clerk: Hand, sales: Hand, pallet: str, drain: Callable[[], None]) -> None:
    event_id = clerk.attached(photograph(), pallet)["anchor"]["event"]
    drain()
    shown = sales.get(f"/api/v1/events/{event_id}/").json()
    event = Event.objects.get()
    assert (shown["id"], shown["type"]) == (typed("event", event.id), "voucher.attached")
    assert shown["anchor"]["state"] == "anchored"
    assert shown["leaf_sha256"] == hashlib.sha256(bytes(event.leaf)).hexdigest()
    leaf = sales.client.get(f"/ledger/supply/events/{event.id}/leaf").content
    assert hashlib.sha256(leaf).hexdigest() == shown["leaf_sha256"]


def test_every_column_of_a_voucher_is_sealed_or_named_as_derived(clerk: Hand, sales: Hand, pallet: str) -> None:
    clerk.attached(photograph(), pallet)
    other = sales.attached(photograph(), pallet)
    (sealed,) = [one for one in declared() if one.model is Voucher]
    voucher, another = Voucher.objects.get(member=clerk.member), Voucher.objects.get(id=from_typeid("vch", other["id"]))
    before = voucher_document(voucher)
    others = {"kind": "contract", "subject_type": "x", "order_id": another.id, "filename": "x", "source": "album"}
    for column in Voucher._meta.concrete_fields:
        if column.name in sealed.derived:
            continue
        changed = Voucher.objects.select_related("file").get(id=voucher.id)
        setattr(changed, column.attname, others.get(column.attname, getattr(another, column.attname)))
        if column.attname == "subject_id":
            changed.subject_id = another.id
        assert voucher_document(changed) != before, f"{column.name} is neither sealed nor derived"
    assert Upload.objects.count() == 2
