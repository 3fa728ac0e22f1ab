import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from backend.core.clock import rfc3339
from backend.core.ids import from_typeid, new_id, typed
from backend.core.models import Event
from backend.core.sections import open_section
from backend.parties.models import Consent
from backend.parties.texts import LOCATION
from backend.trade.models import Despatch, PurchaseOrder, Receipt
from tests.cast import AT_GATE, TWELVE_KM_AWAY, Cast, confirmed_order, despatched, phone_of, send_by
from tests.phone import Json, Phone

pytestmark = pytest.mark.django_db


@pytest.fixture
def delivery(cast: Cast, clerk: Phone, sales: Phone) -> Json:
    """A despatch of the whole order, as the buyer's clerk sees it."""
    sent = despatched(cast, confirmed_order(cast, clerk, sales), sales)
    return clerk.get(f"/api/v1/despatches/{sent['id']}/")[1]


def nothing_changed() -> bool:
    return (
        not Receipt.objects.exists()
        and not Event.objects.filter(type="receipt.signed").exists()
        and Despatch.objects.get().state == "DESPATCHED"
    )


def sign(phone: Phone, act: Json) -> tuple[int, Json]:
    return phone.sign("/api/v1/receipts/", act)


def test_everything_received_at_the_gate(cast: Cast, clerk: Phone, delivery: Json) -> None:
    status, receipt = sign(clerk, clerk.receipt_act(delivery, capture=clerk.capture(AT_GATE)))
    assert status == 201, receipt
    assert (receipt["state"], receipt["assurance"]) == ("SIGNED", "L2")
    assert receipt["total"] == {"amount": "223235.00", "currency": "CNY"}
    assert receipt["location"]["distance_m"] == 0 and receipt["location"]["within"] is True
    assert PurchaseOrder.objects.get().state == "DELIVERED"
    assert Despatch.objects.get().state == "RECEIVED"


def test_dented_goods_are_rejected_with_a_reason_and_short_ones_counted(
    cast: Cast, clerk: Phone, delivery: Json
) -> None:
    counts = [
        {"accepted_quantity": "1180.000", "rejected_quantity": "20.000", "reject_reason": "DAMAGED"},
        {"received_quantity": "10.000", "accepted_quantity": "10.000", "short_quantity": "0.500"},
    ]
    status, receipt = sign(clerk, clerk.receipt_act(delivery, counts, clerk.capture(AT_GATE)))
    assert status == 201, receipt
    assert receipt["state"] == "SIGNED_WITH_EXCEPTION"
    assert receipt["total"]["amount"] == "219513.33"
    assert PurchaseOrder.objects.get().state == "PART_DELIVERED"


def test_more_than_was_despatched_is_oversupply_and_costs_nothing(clerk: Phone, delivery: Json) -> None:
    counts = [{"received_quantity": "1210.000", "oversupply_quantity": "10.000"}]
    status, receipt = sign(clerk, clerk.receipt_act(delivery, [*counts, {}]))
    assert status == 201, receipt
    assert receipt["lines"][0]["accepted_quantity"] == "1200.000"
    assert receipt["total"]["amount"] == "223235.00"


def test_everything_rejected_returns_the_delivery(clerk: Phone, delivery: Json) -> None:
    counts = [
        {"accepted_quantity": "0.000", "rejected_quantity": line["quantity"], "reject_reason": "WRONG_ITEM"}
        for line in delivery["lines"]
    ]
    status, receipt = sign(clerk, clerk.receipt_act(delivery, counts))
    assert (status, receipt["state"], receipt["total"]["amount"]) == (201, "REJECTED", "0.00")
    assert Despatch.objects.get().state == "RETURNED"


def test_without_a_place_the_signature_counts_at_lower_assurance(clerk: Phone, delivery: Json) -> None:
    status, receipt = sign(clerk, clerk.receipt_act(delivery))
    assert status == 201
    assert receipt["assurance"] == "L1"
    assert receipt["location"]["provided"] is False and receipt["location"]["distance_m"] is None


def test_a_place_far_away_is_recorded_as_a_distance_and_coordinates_only_in_the_capture(
    clerk: Phone, delivery: Json
) -> None:
    status, receipt = sign(clerk, clerk.receipt_act(delivery, capture=clerk.capture(TWELVE_KM_AWAY)))
    assert status == 201
    assert 11_900 < receipt["location"]["distance_m"] < 12_100 and receipt["location"]["within"] is False
    event = Event.objects.get(type="receipt.signed")
    assert open_section(event.id, "capture").content["location"]["latitude"] == TWELVE_KM_AWAY[0]
    for other in ("header", "document", "act", "signature"):
        assert TWELVE_KM_AWAY[0] not in str(open_section(event.id, other).content)
    assert TWELVE_KM_AWAY[0] not in str(event.payload)


def test_a_place_in_chinas_datum_is_converted_before_it_is_compared(clerk: Phone, delivery: Json) -> None:
    capture = clerk.capture(AT_GATE)
    capture["location"]["datum"] = "gcj02"
    status, receipt = sign(clerk, clerk.receipt_act(delivery, capture=capture))
    assert status == 201
    assert 300 < receipt["location"]["distance_m"] < 700


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"latitude": "91.0000000"}, "capture.location.latitude"),
        ({"longitude": "-180.0000001"}, "capture.location.longitude"),
        ({"age_s": -1}, "capture.location.age_s"),
        ({"age_s": 3 * 3600}, "capture.location.age_s"),
    ],
)
def test_an_impossible_place_is_refused_by_field(
    clerk: Phone, delivery: Json, changes: dict[str, Any], field: str
) -> None:
    capture = clerk.capture(AT_GATE)
    capture["location"] |= changes
    status, answer = sign(clerk, clerk.receipt_act(delivery, capture=capture))
    assert (status, answer["code"]) == (422, "location-invalid")
    assert answer["errors"][0]["field"] == field
    assert nothing_changed()


def test_a_place_without_consent_is_refused(clerk: Phone, delivery: Json) -> None:
    capture = clerk.capture(AT_GATE, consent=None)
    status, answer = sign(clerk, clerk.receipt_act(delivery, capture=capture))
    assert (status, answer["code"]) == (422, "consent-missing")
    assert nothing_changed()


def answered(phone: Phone, given: bool, *, later: timedelta = timedelta(0), **changes: Any) -> Consent:
    """The person's answer to the location notice, by the API, dated as much later than now."""
    body = {"purpose": "location", "text_id": LOCATION.id, "text_version": LOCATION.version, "given": given}
    status, answer = phone.post("/api/v1/consents/", body)
    assert status == 201, answer
    consent = Consent.objects.get(id=from_typeid("ltx", answer["id"]))
    Consent.objects.filter(id=consent.id).update(at=consent.at + later, **changes)
    return consent


def test_consent_given_again_elsewhere_leaves_what_waits_on_the_first_phone_valid(
    cast: Cast, clerk: Phone, delivery: Json
) -> None:
    act = clerk.receipt_act(delivery, capture=clerk.capture(AT_GATE))
    phone_of(cast.clerk)
    status, receipt = sign(clerk, act)
    assert (status, receipt["assurance"]) == (201, "L2"), receipt


def test_consent_withdrawn_after_the_act_leaves_it_valid_and_covers_no_other(
    cast: Cast, clerk: Phone, sales: Phone, delivery: Json
) -> None:
    act = clerk.receipt_act(delivery, capture=clerk.capture(AT_GATE))
    late = clerk.receipt_act(
        delivery, capture=clerk.capture(AT_GATE, captured_at=rfc3339(datetime.now(UTC) + timedelta(seconds=9)))
    )
    answered(clerk, False, later=timedelta(seconds=5))
    status, answer = sign(clerk, late)
    assert (status, answer["code"]) == (422, "consent-missing")
    assert nothing_changed()
    status, receipt = sign(clerk, act)
    assert (status, receipt["location"]["within"]) == (201, True), receipt


@pytest.mark.parametrize("what", ["a no", "another's", "given later", "to an earlier text", "of nobody"])
def test_what_was_no_consent_of_this_person_at_the_act_is_refused(
    cast: Cast, clerk: Phone, delivery: Json, what: str
) -> None:
    consents = {
        "a no": lambda: answered(clerk, False).id,
        "another's": lambda: from_typeid("ltx", phone_of(cast.stranger).consent or ""),
        "given later": lambda: answered(clerk, True, later=timedelta(minutes=11)).id,
        "to an earlier text": lambda: answered(clerk, True, text_version="0", text_sha256="0" * 64).id,
        "of nobody": new_id,
    }
    capture = clerk.capture(AT_GATE, consent=typed("consent", consents[what]()))
    status, answer = sign(clerk, clerk.receipt_act(delivery, capture=capture))
    assert (status, answer["code"]) == (422, "consent-missing")
    assert nothing_changed()


@pytest.mark.parametrize(
    ("shift", "code"), [(timedelta(minutes=11), "captured-in-future"), (timedelta(days=-8), "captured-too-long-ago")]
)
def test_a_time_that_cannot_be_is_refused(clerk: Phone, delivery: Json, shift: timedelta, code: str) -> None:
    capture = clerk.capture(captured_at=rfc3339(datetime.now(UTC) + shift))
    status, answer = sign(clerk, clerk.receipt_act(delivery, capture=capture))
    assert (status, answer["code"]) == (422, code)
    assert nothing_changed()


@pytest.mark.parametrize("value", ["-1.000", "1e3", "1200", "1200.0000", "eleven", "NaN", "9999999999999.000", ""])
def test_a_quantity_that_is_none_names_its_field(clerk: Phone, delivery: Json, value: str) -> None:
    act = clerk.receipt_act(delivery)
    act["signed"]["lines"][0]["received_quantity"] = value
    status, answer = sign(clerk, clerk.sealed(act))
    assert status == 400
    assert answer["errors"][0]["field"] == "signed.lines.0.received_quantity"
    assert nothing_changed()


@pytest.mark.parametrize(
    ("count", "field"),
    [
        ({"received_quantity": "1100.000", "accepted_quantity": "1100.000"}, "received_quantity"),
        ({"accepted_quantity": "1190.000"}, "accepted_quantity"),
        ({"accepted_quantity": "1190.000", "rejected_quantity": "10.000"}, "reject_reason"),
        ({"reject_reason": "DAMAGED"}, "reject_reason"),
    ],
)
def test_counts_that_do_not_add_up_name_their_field(clerk: Phone, delivery: Json, count: Json, field: str) -> None:
    status, answer = sign(clerk, clerk.receipt_act(delivery, [count, {}]))
    assert (status, answer["code"]) == (400, "quantity-invalid")
    assert answer["errors"][0]["field"] == f"signed.lines.0.{field}"
    assert nothing_changed()


def test_a_signature_over_other_quantities_is_invalid(clerk: Phone, delivery: Json) -> None:
    act = clerk.receipt_act(delivery)
    smaller = clerk.receipt_act(
        delivery, [{"accepted_quantity": "1180.000", "rejected_quantity": "20.000", "reject_reason": "DAMAGED"}, {}]
    )
    act["signed"]["lines"] = smaller["signed"]["lines"]
    act["signed"]["total"] = smaller["signed"]["total"]
    status, answer = sign(clerk, act)
    assert (status, answer["code"]) == (422, "signature-invalid")
    assert nothing_changed()


def test_a_replayed_signature_under_another_key_is_refused(clerk: Phone, delivery: Json) -> None:
    act = clerk.receipt_act(delivery)
    status, answer = clerk.post("/api/v1/receipts/", act)
    assert (status, answer["code"]) == (422, "signed-difference")
    assert answer["errors"][0]["field"] == "signed.client_event_id"
    assert nothing_changed()


def test_pictures_that_were_not_signed_are_refused(clerk: Phone, delivery: Json) -> None:
    act = clerk.receipt_act(delivery, capture=clerk.capture(photos=["a" * 64]))
    status, answer = sign(clerk, act)
    assert (status, answer["code"]) == (422, "capture-incomplete")
    assert nothing_changed()


def test_a_repeat_is_the_same_receipt(clerk: Phone, delivery: Json) -> None:
    act = clerk.receipt_act(delivery)
    first = sign(clerk, act)
    assert sign(clerk, act) == first
    assert Receipt.objects.count() == 1


def test_a_second_receipt_of_a_delivery_is_refused(cast: Cast, clerk: Phone, delivery: Json) -> None:
    sign(clerk, clerk.receipt_act(delivery))
    status, answer = sign(clerk, clerk.receipt_act(delivery))
    assert (status, answer["code"]) == (409, "receipt-exists")


def test_the_seller_the_carrier_and_a_stranger_cannot_receive(
    cast: Cast, clerk: Phone, sales: Phone, driver: Phone, delivery: Json
) -> None:
    for phone in (sales, driver, phone_of(cast.stranger)):
        status, answer = sign(phone, phone.receipt_act(delivery))
        assert status in (403, 404), answer
    assert nothing_changed()


def test_a_carrier_sees_the_trip_and_no_price(driver: Phone, delivery: Json) -> None:
    status, seen = driver.get(f"/api/v1/despatches/{delivery['id']}/")
    assert status == 200
    assert "186.00" not in str(seen) and seen["lines"][0]["unit_price"] is None
    assert driver.get(f"/api/v1/orders/{seen['order']['id']}/")[0] == 404
    assert driver.get("/api/v1/receipts/")[1]["results"] == []


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_sign_at_once_one_wins_and_the_other_is_told(
    cast: Cast, clerk: Phone, delivery: Json
) -> None:
    from tests.cast import member

    colleague = phone_of(member(cast.buyer, "Colleague", "signer"), Phone(send_by(Client())))
    acts = [(clerk, clerk.receipt_act(delivery)), (colleague, colleague.receipt_act(delivery))]
    ready, answers = threading.Barrier(2), []

    def run(phone: Phone, act: Json) -> None:
        try:
            ready.wait()
            answers.append(sign(phone, act))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status for status, _ in answers) == [201, 409]
    assert next(answer["code"] for status, answer in answers if status == 409) == "receipt-exists"
    assert Receipt.objects.count() == 1 and Event.objects.filter(type="receipt.signed").count() == 1


def test_the_driver_picks_up_and_arrives(cast: Cast, driver: Phone, delivery: Json) -> None:
    path = f"/api/v1/despatches/{delivery['id']}/milestones"
    status, answer = driver.post(path, {"kind": "ARRIVED", "capture": driver.capture()})
    assert (status, answer["code"]) == (409, "wrong-state")
    assert driver.post(path, {"kind": "PICKED_UP", "capture": driver.capture(TWELVE_KM_AWAY)})[0] == 201
    status, answer = driver.post(path, {"kind": "ARRIVED", "capture": driver.capture(AT_GATE)})
    assert (status, answer["state"]) == (201, "ARRIVED")
    assert [row["kind"] for row in answer["milestones"]] == ["PICKED_UP", "ARRIVED"]


def test_what_waits_for_whom(cast: Cast, clerk: Phone, sales: Phone, driver: Phone, delivery: Json) -> None:
    (task,) = clerk.get("/api/v1/tasks/")[1]["results"]
    assert (task["kind"], task["total"]["amount"]) == ("delivery_to_receive", "223235.00")
    assert [task["kind"] for task in driver.get("/api/v1/tasks/")[1]["results"]] == ["trip"]
    assert driver.get("/api/v1/tasks/")[1]["results"][0]["total"] is None
    assert sales.get("/api/v1/tasks/")[1]["results"] == []
    assert typed("order", PurchaseOrder.objects.get().id) == delivery["order"]["id"]


def test_the_other_side_learns_a_band_of_distance_and_no_device(clerk: Phone, sales: Phone, delivery: Json) -> None:
    _, own = sign(clerk, clerk.receipt_act(delivery, capture=clerk.capture(TWELVE_KM_AWAY)))
    assert own["location"]["distance_m"] and own["device"]["model"]
    _, seen = sales.get(f"/api/v1/receipts/{own['id']}/")
    assert (seen["location"]["distance_m"], seen["location"]["accuracy_m"], seen["device"]) == (None, None, None)
    assert (
        seen["location"]["distance_band"] == {"from_m": 5_000, "to_m": 20_000} and seen["location"]["within"] is False
    )
    assert (seen["document"], seen["digest"]) == (own["document"], own["digest"])
    exact = own["location"]["distance_m"]
    assert re.search(rf"(?<!\d){exact}(?!\d)", str(own))
    assert not re.search(rf"(?<!\d){exact}(?!\d)", str(seen)), "not as a part of a longer number, such as microseconds"
    _, order = sales.get(f"/api/v1/orders/{delivery['order']['id']}/")
    assert {row["organisation"]["name"]: bool(row["device"]) for row in order["signatures"]} == {
        "Buyer": False,
        "Seller": True,
    }


def test_a_delivery_that_waits_says_what_it_is_worth_itself(cast: Cast, clerk: Phone, sales: Phone) -> None:
    despatched(cast, confirmed_order(cast, clerk, sales), sales, lines=[{"order_line": "1", "quantity": "600"}])
    (task,) = clerk.get("/api/v1/tasks/")[1]["results"]
    assert task["total"] == {"amount": "111600.00", "currency": "CNY"}
