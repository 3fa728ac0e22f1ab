from typing import Any

import pytest

from backend.core.ids import typed
from backend.trade.models import Despatch, PurchaseOrder
from tests.cast import Cast, confirmed_order, despatched, issued_order, member, organisation, phone_of
from tests.phone import Json, Phone

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(cast: Cast, clerk: Phone, sales: Phone) -> Json:
    return confirmed_order(cast, clerk, sales)


def send(sales: Phone, order: Json, number: str = "DN-1", quantity: str = "1200", **changes: Any) -> tuple[int, Json]:
    body = {"order": order["id"], "despatch_no": number, "lines": [{"order_line": "1", "quantity": quantity}]}
    return sales.post("/api/v1/despatches/", body | changes)


def receive(clerk: Phone, despatch: Json, counts: list[Json] | None = None) -> tuple[int, Json]:
    shown = clerk.get(f"/api/v1/despatches/{despatch['id']}/")[1]
    return clerk.sign("/api/v1/receipts/", clerk.receipt_act(shown, counts))


def test_not_more_leaves_than_was_ordered(order: Json, sales: Phone) -> None:
    assert send(sales, order, quantity="1199.999")[0] == 201
    status, answer = send(sales, order, "DN-2", "0.002")
    assert (status, answer["code"], answer["left"]) == (422, "over-despatched", "0.001")
    assert Despatch.objects.count() == 1


def test_what_may_still_go_is_never_said_to_be_more_than_it_is(cast: Cast, clerk: Phone, sales: Phone) -> None:
    """A hundredth of a percent of 1,200 is 0.12; of 10.5 it is 0.00105, which no despatch can carry."""
    from dataclasses import replace

    from tests.cast import order_terms

    terms = order_terms(cast)["lines"]
    order = confirmed_order(cast, clerk, sales, lines=[replace(line, tolerance_pct="0.01") for line in terms])
    status, answer = send(sales, order, lines=[{"order_line": "2", "quantity": "10.502"}])
    assert (status, answer["left"]) == (422, "10.501")
    assert send(sales, order, lines=[{"order_line": "2", "quantity": "10.501"}])[0] == 201


def test_two_lines_of_one_despatch_count_together(order: Json, sales: Phone) -> None:
    halves = [{"order_line": "1", "quantity": "600.001"}] * 2
    status, answer = send(sales, order, lines=halves)
    assert (status, answer["code"]) == (422, "over-despatched")


def test_what_was_sent_back_may_go_again(order: Json, clerk: Phone, sales: Phone) -> None:
    _, first = send(sales, order)
    rejected = [{"accepted_quantity": "0.000", "rejected_quantity": "1200.000", "reject_reason": "WRONG_ITEM"}]
    assert receive(clerk, first, rejected)[1]["state"] == "REJECTED"
    assert PurchaseOrder.objects.get().state == "CONFIRMED", "nothing was delivered"
    assert send(sales, order, "DN-2")[0] == 201


def test_what_the_tolerance_allowed_is_received_after_the_order_was_delivered(
    cast: Cast, clerk: Phone, sales: Phone
) -> None:
    from dataclasses import replace

    from tests.cast import order_terms

    line = replace(order_terms(cast)["lines"][0], tolerance_pct="10")
    order = confirmed_order(cast, clerk, sales, lines=[line])
    _, first = send(sales, order)
    _, beyond = send(sales, order, "DN-2", "100")
    _, sent_back = send(sales, order, "DN-3", "20")
    assert receive(clerk, first)[0] == 201
    assert PurchaseOrder.objects.get().state == "DELIVERED"
    assert receive(clerk, beyond)[0] == 201
    rejected = [{"accepted_quantity": "0.000", "rejected_quantity": "20.000", "reject_reason": "DAMAGED"}]
    assert receive(clerk, sent_back, rejected)[0] == 201
    assert PurchaseOrder.objects.get().state == "DELIVERED"
    status, answer = send(sales, order, "DN-4", "1")
    assert (status, answer["code"]) == (409, "wrong-state")


def test_an_order_that_nobody_signed_is_not_sent_off(cast: Cast, sales: Phone) -> None:
    order = {"id": typed("order", issued_order(cast).id)}
    status, answer = send(sales, order)
    assert (status, answer["code"], answer["state"]) == (409, "wrong-state", "ISSUED")


def test_a_number_that_leaves_no_room_for_the_receipts_is_refused(order: Json, clerk: Phone, sales: Phone) -> None:
    status, answer = send(sales, order, "D" * 63)
    assert (status, answer["errors"][0]["field"]) == (422, "despatch_no")
    _, longest = send(sales, order, "D" * 62)
    status, receipt = receive(clerk, longest)
    assert (status, receipt["receipt_no"]) == (201, "D" * 62 + "-R")


def test_a_driver_of_another_firm_and_a_firm_that_carries_nothing_are_refused(
    cast: Cast, order: Json, sales: Phone
) -> None:
    rival = member(organisation("91310115MA1TEXTR6", "Rival", "CARRIER"), "Rival", "driver")
    carrier, driver = typed("organisation", cast.carrier.id), typed("member", rival.id)
    refused = [
        send(sales, order, carrier=carrier, driver=driver),
        send(sales, order, driver=driver),
        send(sales, order, carrier=typed("organisation", cast.buyer.id)),
    ]
    assert [(status, answer["errors"][0]["field"]) for status, answer in refused] == [
        (422, "driver"),
        (422, "driver"),
        (422, "carrier"),
    ]
    assert not Despatch.objects.exists()


def test_only_the_seller_sends_off(cast: Cast, order: Json, clerk: Phone, driver: Phone) -> None:
    assert send(clerk, order)[0] == 404
    assert send(driver, order)[0] == 403
    assert send(phone_of(cast.stranger), order)[0] == 404
    assert not Despatch.objects.exists()


def test_an_order_waits_to_be_sent_off_as_long_as_anything_of_it_is_left(
    cast: Cast, order: Json, clerk: Phone, sales: Phone
) -> None:
    def waiting() -> list[str]:
        return [task["kind"] for task in sales.get("/api/v1/tasks/")[1]["results"]]

    assert waiting() == ["order_to_despatch"]
    send(sales, order)
    assert waiting() == ["order_to_despatch"], "line 2 has not left"
    send(sales, order, "DN-2", lines=[{"order_line": "2", "quantity": "10.5"}])
    assert waiting() == []
    assert sales.get(f"/api/v1/orders/{order['id']}/")[1]["undespatched"] == {}


def test_orders_that_are_on_their_way_do_not_hide_those_that_wait(
    cast: Cast, order: Json, clerk: Phone, sales: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.trade.selectors.TASKS_LIMIT", 1)
    despatched(cast, order, sales)
    second = confirmed_order(cast, clerk, sales, order_no="PO-2")
    assert [task["subject"] for task in sales.get("/api/v1/tasks/")[1]["results"]] == [second["id"]]
