"""What can be swapped, withdrawn or revoked between the signing on the phone and the row on the server."""

import hashlib
from typing import Any

import pytest

from backend.core.clock import now
from backend.core.events import Actor
from backend.core.ids import from_typeid, typed
from backend.core.models import Event
from backend.evidence.models import Voucher
from backend.parties.models import Consent, Device
from backend.trade import services, signing
from backend.trade.errors import SignInWithPhone
from backend.trade.models import Receipt, Signature
from tests.cast import AT_GATE, Cast, confirmed_order, despatched, issued_order, office
from tests.evidence.conftest import photograph
from tests.phone import Json, Phone

pytestmark = pytest.mark.django_db


@pytest.fixture
def delivery(cast: Cast, clerk: Phone, sales: Phone) -> Json:
    sent = despatched(cast, confirmed_order(cast, clerk, sales), sales)
    return clerk.get(f"/api/v1/despatches/{sent['id']}/")[1]


def sign(phone: Phone, act: Json) -> tuple[int, Json]:
    return phone.sign("/api/v1/receipts/", act)


def uploaded(phone: Phone) -> Json:
    """A picture that has arrived, as an act names it; its kind is the caller's to say."""
    data = photograph(64, 48)
    digest = hashlib.sha256(data).hexdigest()
    announced = {"sha256": digest, "size": len(data), "filename": "a.jpg", "mime": "image/jpeg", "source": "camera"}
    _, upload = phone.post("/api/v1/uploads/", announced)
    phone.send("PUT", f"/api/v1/uploads/{upload['id']}/parts/0", data, phone.headers())
    return {"upload": upload["id"], "sha256": digest}


def with_pictures(phone: Phone, make: Any) -> tuple[Json, Json, Json]:
    """An act over one photograph and one drawing, and both as they are sent."""
    photo, drawing = uploaded(phone) | {"kind": "photo"}, uploaded(phone) | {"kind": "signature"}
    act = make(phone.capture(photos=[photo["sha256"]], drawing=drawing["sha256"]))
    return act | {"uploads": [photo, drawing]}, photo, drawing


@pytest.mark.parametrize("pictures", [False, True])
def test_the_answer_to_a_receipt_is_what_is_read_afterwards(clerk: Phone, delivery: Json, pictures: bool) -> None:
    counts = [{"received_quantity": "10.000", "accepted_quantity": "10.000", "short_quantity": "1190.000"}]

    def act(capture: Json) -> Json:
        return clerk.receipt_act(delivery, [*counts, {}], capture)

    sent = with_pictures(clerk, act)[0] if pictures else act(clerk.capture(AT_GATE))
    status, answer = clerk.sign("/api/v1/receipts/", sent)
    assert status == 201 and len(answer["vouchers"]) == 2 * pictures, answer
    assert answer["lines"][0]["short_quantity"] == "1190.000" and answer["anchor"]["state"] == "waiting"
    assert clerk.get(f"/api/v1/receipts/{answer['id']}/") == (200, answer)


def test_the_photograph_and_the_drawing_of_a_receipt_become_its_vouchers(clerk: Phone, delivery: Json) -> None:
    act, _, _ = with_pictures(clerk, lambda capture: clerk.receipt_act(delivery, capture=capture))
    status, receipt = sign(clerk, act)
    assert status == 201, receipt
    assert [voucher["kind"] for voucher in receipt["vouchers"]] == ["photo", "signature"]


def test_a_file_is_not_sent_as_another_kind_than_was_signed(clerk: Phone, delivery: Json) -> None:
    act, photo, drawing = with_pictures(clerk, lambda capture: clerk.receipt_act(delivery, capture=capture))
    swapped = [photo | {"kind": "signature"}, drawing | {"kind": "photo"}]
    for uploads in (swapped, [photo | {"kind": "contract"}, drawing], [photo], [photo, photo, drawing]):
        status, answer = sign(clerk, act | {"uploads": uploads})
        assert (status, answer["code"]) == (422, "capture-incomplete")
    assert not Receipt.objects.exists() and not Voucher.objects.exists()
    assert sign(clerk, act)[0] == 201, "a refused act may be sent again, under the same key"


def test_the_pictures_of_a_signed_order_are_kept_with_it(cast: Cast, clerk: Phone) -> None:
    path = f"/api/v1/orders/{typed('order', issued_order(cast).id)}"
    shown = clerk.get(f"{path}/")[1]
    act, _, _ = with_pictures(clerk, lambda capture: clerk.order_act(shown, capture=capture))
    status, signed = clerk.sign(f"{path}/signature", act)
    assert status == 201, signed
    assert [voucher["kind"] for voucher in signed["vouchers"]] == ["photo", "signature"]


def test_an_act_with_another_persons_upload_is_refused_whole(
    cast: Cast, clerk: Phone, sales: Phone, delivery: Json
) -> None:
    photo = uploaded(sales) | {"kind": "photo"}
    act = clerk.receipt_act(delivery, capture=clerk.capture(photos=[photo["sha256"]])) | {"uploads": [photo]}
    assert sign(clerk, act)[0] == 404
    assert not Receipt.objects.exists() and not Event.objects.filter(type="receipt.signed").exists()


@pytest.mark.parametrize("change", [{"given": False}, {"text_sha256": "0" * 64}], ids=["withdrawn", "earlier text"])
def test_a_place_counts_only_under_a_consent_that_holds(clerk: Phone, delivery: Json, change: Json) -> None:
    act = clerk.receipt_act(delivery, capture=clerk.capture(AT_GATE))
    Consent.objects.filter(id=from_typeid("ltx", clerk.consent)).update(**change)
    status, answer = sign(clerk, act)
    assert (status, answer["code"]) == (422, "consent-missing")
    assert not Receipt.objects.exists()


def test_somebody_elses_consent_does_not_cover_a_place(clerk: Phone, sales: Phone, delivery: Json) -> None:
    act = clerk.receipt_act(delivery, capture=clerk.capture(AT_GATE, consent=sales.consent))
    assert sign(clerk, act)[1]["code"] == "consent-missing"


def test_a_device_revoked_while_its_request_waited_signs_nothing(
    cast: Cast, clerk: Phone, delivery: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token was looked at before; the revocation comes while the request waits for the order's lock."""

    def revoked_meanwhile(by: Actor) -> Device:
        Device.objects.filter(id=by.device).update(revoked_at=now())
        return signing.acting_device(by)

    monkeypatch.setattr(services.receipts, "acting_device", revoked_meanwhile)
    status, answer = sign(clerk, clerk.receipt_act(delivery))
    assert (status, answer["code"]) == (403, "device-revoked")
    assert not Receipt.objects.exists()


def test_nobody_signs_at_the_console(cast: Cast) -> None:
    with pytest.raises(SignInWithPhone):
        signing.acting_device(office(cast.clerk))


@pytest.mark.parametrize("field", ["captured_at", "opened_at"])
def test_a_time_in_other_digits_is_no_time(clerk: Phone, delivery: Json, field: str) -> None:
    act = clerk.receipt_act(delivery, capture=clerk.capture(**{field: "２０２６-11-23T10:00:00.000Z"}))
    status, answer = sign(clerk, act)
    assert status == 400, answer
    assert f"capture.{field}" in [error["field"] for error in answer["errors"]]


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("origin", "elsewhere.example/supply", 422),
        ("signer_party", "91310115MA1TEXTN2X", 422),
        ("counterparty", "91310115MA1TEXTB1X", 422),
        ("action", "order.sign", 422),
        ("language", "fr", 422),
        ("text_id", "order.sign", 422),
        ("text_version", 2, 422),
        ("captured_at", "2026-01-01T00:00:00.000Z", 422),
        ("capture_digest", "0" * 64, 422),
        ("nonce", "A" * 43, 422),
    ],
)
def test_whatever_is_signed_otherwise_than_the_server_knows_is_named(
    clerk: Phone, delivery: Json, field: str, value: object, status: int
) -> None:
    act = clerk.receipt_act(delivery)
    act["signed"][field] = value
    got, answer = sign(clerk, clerk.sealed(act))
    assert (got, answer["code"]) == (status, "signed-difference")
    assert [error["field"] for error in answer["errors"]] == [f"signed.{field}"]
    assert Signature.objects.filter(action="receipt.sign").count() == 0


def test_a_key_used_on_one_door_opens_no_other(cast: Cast, clerk: Phone, delivery: Json) -> None:
    act = clerk.receipt_act(delivery)
    assert sign(clerk, act)[0] == 201
    path = f"/api/v1/orders/{typed('order', issued_order(cast, order_no='PO-2').id)}/rejection"
    status, answer = clerk.post(path, {"reason": "no"}, act["signed"]["client_event_id"])
    assert (status, answer["code"]) == (409, "idempotency-mismatch")
