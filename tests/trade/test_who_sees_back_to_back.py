"""Back-to-back: buyer, seller, factory and carrier, and what each is shown and told of one delivery."""

from collections.abc import Callable

import pytest

from backend.core import push
from backend.core.ids import typed
from backend.trade.models import PurchaseOrder
from tests.cast import Cast, phone_of
from tests.phone import Json, Phone
from tests.trade.back_to_back import Chain, carried, receive, send
from tests.trade.test_who_sees_what import attach

pytestmark = pytest.mark.django_db


def texts(phone: Phone, despatch: str, receipt: str) -> str:
    """All that somebody can read of a delivery, and of every order there is."""
    paths = ["tasks/", "orders/", "despatches/", "receipts/", f"despatches/{despatch}/", f"receipts/{receipt}/"]
    paths += [f"orders/{typed('order', one)}/" for one in PurchaseOrder.objects.values_list("id", flat=True)]
    for order in PurchaseOrder.objects.select_related("buyer"):
        paths += [f"trace/{order.buyer.uscc}/{order.order_no}", f"orders/{typed('order', order.id)}/versions"]
    answers = [phone.get(f"/api/v1/{path}") for path in paths]
    return " ".join(str(answer) for status, answer in answers if status == 200)


def test_neither_end_sees_the_others_order_or_price_and_the_carrier_sees_none(
    cast: Cast, clerk: Phone, sales: Phone, driver: Phone, chain: Chain, drain: Callable[[], None]
) -> None:
    _, sent = send(chain.phone, chain.lower, chain.upper, **carried(cast))
    before = {name: texts(phone, sent["id"], "none") for name, phone in (("clerk", clerk), ("driver", driver))}
    _, receipt = receive(clerk, sent["id"])
    drain()
    despatch = f"/api/v1/despatches/{sent['id']}/"
    shown = {
        name: phone.get(despatch)[1]
        for name, phone in (("clerk", clerk), ("sales", sales), ("factory", chain.phone), ("driver", driver))
    }
    assert {name: (one["order"]["id"], one["lines"][0]["unit_price"]) for name, one in shown.items()} == {
        "clerk": (chain.upper["id"], "186.00"),
        "sales": (chain.upper["id"], "186.00"),
        "factory": (chain.lower["id"], "120.00"),
        "driver": (chain.upper["id"], None),
    }
    assert {one["digest"] for one in shown.values()} == {shown["clerk"]["digest"]}, "all four hold one document"
    assert shown["factory"]["document"]["ship_to"]["name"] == "Gate 3", "the factory knows where it goes"
    read = {
        "clerk": before["clerk"] + texts(clerk, sent["id"], receipt["id"]),
        "factory": texts(chain.phone, sent["id"], receipt["id"]),
        "driver": before["driver"] + texts(driver, sent["id"], receipt["id"]),
    }
    upper_money = ("186.00", "223200.00", "223235", "3.333")
    lower_money = ("120.00", "144000.00", "240000.00")
    assert [one for one in (*lower_money, "B-1", "OEM", chain.lower["id"]) if one in read["clerk"]] == []
    assert [one for one in upper_money if one in read["factory"]] == []
    assert [one for one in (*upper_money, *lower_money) if one in read["driver"]] == []
    assert "Clerk" not in read["factory"] and "Worker" not in read["clerk"], "nor the other's people"
    assert clerk.get(f"/api/v1/orders/{chain.lower['id']}/")[0] == 404
    assert chain.phone.get(f"/api/v1/orders/{chain.upper['id']}/")[0] == 404
    assert phone_of(cast.stranger).get(despatch)[0] == 404


def test_the_factory_reads_what_was_counted_and_nothing_else_of_a_receipt(
    cast: Cast, clerk: Phone, chain: Chain, driver: Phone
) -> None:
    _, sent = send(chain.phone, chain.lower, chain.upper, **carried(cast))
    short = [{"received_quantity": "1190.000", "accepted_quantity": "1190.000", "short_quantity": "10.000"}]
    _, receipt = receive(clerk, sent["id"], short)
    attach(clerk, receipt["id"], "photo")
    status, shown = chain.phone.get(f"/api/v1/receipts/{receipt['id']}/")
    assert status == 200
    assert [shown[name] for name in ("total", "signer", "document", "digest", "location", "device")] == [None] * 6
    assert shown["vouchers"] == []
    (line,) = shown["lines"]
    assert (line["item_name"], line["accepted_quantity"], line["amount"]) == ("OEM 4L cooker", "1190.000", None)
    assert chain.phone.get(f"/api/v1/vouchers/?subject={receipt['id']}")[0] == 404
    assert attach(chain.phone, receipt["id"], "photo")[0] == 404
    assert driver.get(f"/api/v1/receipts/{receipt['id']}/")[0] == 404


def test_papers_that_tell_prices_are_shown_to_neither_end_of_a_direct_delivery(
    cast: Cast, clerk: Phone, sales: Phone, driver: Phone, chain: Chain
) -> None:
    _, sent = send(chain.phone, chain.lower, chain.upper, **carried(cast))
    for phone, kind in ((chain.phone, "invoice"), (clerk, "contract"), (chain.phone, "delivery_document")):
        assert attach(phone, sent["id"], kind)[0] == 201

    def seen(phone: Phone, order: Json) -> set[str]:
        listed = phone.get(f"/api/v1/vouchers/?subject={sent['id']}")[1]["results"]
        assert listed == phone.get(f"/api/v1/despatches/{sent['id']}/")[1]["vouchers"]
        number, buyer = order["document"]["order_no"], order["document"]["buyer"]["uscc"]
        status, trace = phone.get(f"/api/v1/trace/{buyer}/{number}")
        assert status == 404 or {one["kind"] for one in trace["vouchers"]} == {one["kind"] for one in listed}
        return {one["kind"] for one in listed}

    assert seen(clerk, chain.upper) == seen(chain.phone, chain.lower) == {"delivery_document"}
    assert seen(driver, chain.upper) == {"delivery_document"}
    assert seen(sales, chain.upper) == seen(sales, chain.lower) == {"delivery_document", "invoice", "contract"}


def test_each_party_is_told_of_the_order_that_it_may_open(
    cast: Cast, clerk: Phone, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[push.Push] = []
    monkeypatch.setattr(push, "push_all", told.extend)
    _, sent = send(chain.phone, chain.lower, chain.upper, **carried(cast))
    _, receipt = receive(clerk, sent["id"])
    attach(clerk, sent["id"], "photo")
    orders = dict.fromkeys((cast.buyer.id, cast.seller.id), (chain.upper["id"], None))
    orders |= {chain.factory.id: (chain.lower["id"], None), cast.carrier.id: (None, None)}
    for kind, name, document in (
        ("despatch.changed", "despatch", sent["id"]),
        ("receipt.changed", "receipt", receipt["id"]),
        ("voucher.changed", "despatch", sent["id"]),
    ):
        pushed = [one for one in told if one.kind == kind]
        assert {one.audience[0]: one.ids.get("order") for one in pushed} == {org: ids[0] for org, ids in orders.items()}
        assert {one.ids[name] for one in pushed} == {document}
