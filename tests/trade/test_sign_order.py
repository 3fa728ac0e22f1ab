import pytest

from backend.core.ids import typed
from backend.core.models import Event
from backend.core.sections import open_section
from backend.trade import documents
from backend.trade.models import OrderState, PurchaseOrder, Signature
from tests.cast import Cast, confirmed_order, issued_order, phone_of
from tests.phone import Phone

pytestmark = pytest.mark.django_db


def path(order: PurchaseOrder) -> str:
    return f"/api/v1/orders/{typed('order', order.id)}"


def test_the_buyer_signs_and_the_seller_confirms_what_the_buyer_signed(cast: Cast, clerk: Phone, sales: Phone) -> None:
    order = confirmed_order(cast, clerk, sales)
    assert order["state"] == "CONFIRMED"
    assert [row["action"] for row in order["signatures"]] == ["order.sign", "order.confirm"]
    assert {row["member"]["name"] for row in order["signatures"]} == {"Clerk", "Sales"}
    assert order["actions"] == ["despatch", "amend", "attach"]
    events = Event.objects.filter(type__startswith="order.").order_by("id").values_list("type", flat=True)
    assert list(events) == ["order.issued", "order.signed", "order.confirmed"]


def test_the_signature_section_holds_the_signed_bytes_and_the_leaf_holds_none_of_them(cast: Cast, clerk: Phone) -> None:
    order = issued_order(cast)
    _, shown = clerk.get(f"{path(order)}/")
    act = clerk.order_act(shown)
    assert clerk.sign(f"{path(order)}/signature", act)[0] == 201
    event = Event.objects.get(type="order.signed")
    kept = open_section(event.id, "signature").content
    assert kept["signed"] == act["signed"]
    assert kept["signature"] == act["signature"]
    for secret in (b"PO-1", b"186.00", cast.buyer.uscc.encode(), act["signed"]["nonce"].encode()):
        assert secret not in bytes(event.leaf)


def test_a_repeat_gets_the_first_answer_and_signs_once(cast: Cast, clerk: Phone) -> None:
    order = issued_order(cast)
    _, shown = clerk.get(f"{path(order)}/")
    act = clerk.order_act(shown)
    first = clerk.sign(f"{path(order)}/signature", act)
    assert clerk.sign(f"{path(order)}/signature", act) == first
    assert Signature.objects.count() == 1
    assert Event.objects.filter(type="order.signed").count() == 1


def test_the_same_key_with_another_body_is_refused(cast: Cast, clerk: Phone) -> None:
    order = issued_order(cast)
    _, shown = clerk.get(f"{path(order)}/")
    act = clerk.order_act(shown)
    clerk.sign(f"{path(order)}/signature", act)
    status, answer = clerk.post(
        f"{path(order)}/signature", act | {"uploads": [], "signature": "x"}, act["signed"]["client_event_id"]
    )
    assert (status, answer["code"]) == (409, "idempotency-mismatch")


def test_a_second_signature_of_the_same_version_is_refused(cast: Cast, clerk: Phone) -> None:
    order = issued_order(cast)
    _, shown = clerk.get(f"{path(order)}/")
    clerk.sign(f"{path(order)}/signature", clerk.order_act(shown))
    status, answer = clerk.sign(f"{path(order)}/signature", clerk.order_act(shown))
    assert (status, answer["code"]) == (409, "already-signed")


def test_another_total_than_the_servers_is_named_by_its_field(cast: Cast, clerk: Phone) -> None:
    order = issued_order(cast)
    _, shown = clerk.get(f"{path(order)}/")
    act = clerk.order_act(shown)
    act["signed"]["total"]["amount"] = "1.00"
    status, answer = clerk.sign(f"{path(order)}/signature", clerk.sealed(act))
    assert (status, answer["code"]) == (422, "signed-difference")
    assert [error["field"] for error in answer["errors"]] == ["signed.total.amount"]
    assert PurchaseOrder.objects.get().state == OrderState.ISSUED
    assert not Signature.objects.exists()
    assert not Event.objects.filter(type="order.signed").exists()


def test_a_row_changed_since_it_was_recorded_is_not_signed(cast: Cast, clerk: Phone) -> None:
    order = issued_order(cast)
    _, shown = clerk.get(f"{path(order)}/")
    PurchaseOrder.objects.update(contract_no="C-2")
    status, answer = clerk.sign(f"{path(order)}/signature", clerk.order_act(shown))
    assert (status, answer["code"]) == (409, "record-altered")


def test_a_signature_of_another_key_is_refused(cast: Cast, clerk: Phone) -> None:
    order = issued_order(cast)
    _, shown = clerk.get(f"{path(order)}/")
    act = clerk.order_act(shown)
    act["signature"] = Phone(clerk.send).sealed(act)["signature"]
    status, answer = clerk.sign(f"{path(order)}/signature", act)
    assert (status, answer["code"]) == (422, "signature-invalid")


def test_a_signature_naming_another_device_is_refused(cast: Cast, clerk: Phone) -> None:
    order = issued_order(cast)
    other = phone_of(cast.clerk)
    _, shown = clerk.get(f"{path(order)}/")
    act = clerk.order_act(shown)
    act["signed"]["device_key_id"] = other.session["device"]["id"]
    status, answer = clerk.sign(f"{path(order)}/signature", clerk.sealed(act))
    assert (status, answer["code"]) == (403, "device-mismatch")


def test_a_signature_for_one_order_does_not_sign_another(cast: Cast, clerk: Phone) -> None:
    first, second = issued_order(cast), issued_order(cast, order_no="PO-2")
    _, shown = clerk.get(f"{path(first)}/")
    status, answer = clerk.sign(f"{path(second)}/signature", clerk.order_act(shown))
    assert status in (409, 422), answer
    assert Signature.objects.count() == 0


def test_someone_elses_order_looks_like_none(cast: Cast, clerk: Phone) -> None:
    order = issued_order(cast)
    stranger = phone_of(cast.stranger)
    _, shown = clerk.get(f"{path(order)}/")
    assert stranger.get(f"{path(order)}/")[0] == 404
    status, answer = stranger.sign(f"{path(order)}/signature", clerk.order_act(shown))
    assert (status, answer["code"]) == (404, "not-found")
    absent = f"/api/v1/orders/{typed('order', order.buyer_id)}/"
    assert stranger.get(f"{path(order)}/")[1] == stranger.get(absent)[1]


def test_the_seller_cannot_sign_for_the_buyer(cast: Cast, clerk: Phone, sales: Phone) -> None:
    order = issued_order(cast)
    _, shown = clerk.get(f"{path(order)}/")
    assert sales.sign(f"{path(order)}/signature", sales.order_act(shown))[0] == 404


def test_a_member_without_the_signers_role_cannot_sign(cast: Cast, clerk: Phone) -> None:
    order = issued_order(cast)
    office = phone_of(cast.office)
    _, shown = office.get(f"{path(order)}/")
    assert shown["actions"] == ["withdraw", "reject", "attach"]
    status, answer = office.sign(f"{path(order)}/signature", office.order_act(shown))
    assert (status, answer["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("place", "value", "field"),
    [
        (("signed", "text_version"), "1", "signed.text_version"),
        (("signed", "document", "digest"), "0" * 63, "signed.document.digest"),
        (("capture", "location_refused"), "true", "capture.location_refused"),
        (("signed", "extra"), "x", "signed.extra"),
        (("capture", "captured_at"), "yesterday", "capture.captured_at"),
        (("capture", "photos"), ["0" * 64] * 21, "capture.photos"),
    ],
)
def test_a_malformed_act_names_the_field(
    cast: Cast, clerk: Phone, place: tuple[str, ...], value: object, field: str
) -> None:
    order = issued_order(cast)
    _, shown = clerk.get(f"{path(order)}/")
    act = clerk.order_act(shown)
    inner = act
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    status, answer = clerk.sign(f"{path(order)}/signature", act)
    assert status == 400, answer
    assert field in [error["field"] for error in answer["errors"]]


def test_the_buyer_rejects_an_order_with_a_reason(cast: Cast, clerk: Phone) -> None:
    order = issued_order(cast)
    status, answer = clerk.post(f"{path(order)}/rejection", {"reason": "价格不对"})
    assert (status, answer["state"], answer["rejection_reason"]) == (201, "REJECTED", "价格不对")
    status, answer = clerk.post(f"{path(order)}/rejection", {"reason": "again"})
    assert (status, answer["code"], answer["state"]) == (409, "wrong-state", "REJECTED")


@pytest.mark.parametrize("digest_too", [False, True], ids=["the row", "the row and its digest"])
def test_what_was_altered_in_the_database_is_signed_by_nobody_and_shown_as_altered(
    cast: Cast, clerk: Phone, digest_too: bool
) -> None:
    """A signature over the altered order would be recorded, and make it the order."""
    order = issued_order(cast)
    order.lines.filter(line_id="1").update(unit_price="99.00")
    order = PurchaseOrder.objects.get(id=order.id)
    if digest_too:
        PurchaseOrder.objects.update(digest=documents.digest(documents.order_document(order)))
    _, shown = clerk.get(f"{path(order)}/")
    assert (shown["digest"] == documents.digest(shown["document"])) is digest_too, "the phone compares the two"
    status, answer = clerk.sign(f"{path(order)}/signature", clerk.order_act(shown))
    assert (status, answer["code"]) == (409, "record-altered")
    assert not Signature.objects.exists() and PurchaseOrder.objects.get().state == OrderState.ISSUED
    assert list(Event.objects.filter(subject_id=order.id).values_list("type", flat=True)) == ["order.issued"]
