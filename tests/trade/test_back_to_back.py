"""Back-to-back: the goods go from the factory to the buyer, and count for both orders."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection

from backend.core.errors import RuleBroken
from backend.core.ids import from_typeid, typed
from backend.core.models import Event
from backend.trade import services
from backend.trade.models import Despatch, DirectLine, OrderLine, PurchaseOrder, Receipt
from tests.cast import AT_GATE, GATE, Cast, confirmed_order, member, office, order_terms, organisation, phone_of
from tests.phone import Phone
from tests.trade.back_to_back import Chain, agreed, bought, carried, receive, send, states

pytestmark = pytest.mark.django_db


def test_goods_go_from_the_factory_to_the_buyer_and_count_for_both_orders(
    cast: Cast, clerk: Phone, sales: Phone, chain: Chain
) -> None:
    (direct,) = chain.phone.get(f"/api/v1/orders/{chain.lower['id']}/")[1]["delivers_to"]
    assert (direct["order"]["id"], direct["left"]) == (chain.upper["id"], {"9": "1200.000"})
    assert direct["ship_to"]["address"] == "1 Warehouse Road"
    status, sent = send(chain.phone, chain.lower, chain.upper, quantity="1000")
    assert status == 201, sent
    assert sales.get(f"/api/v1/orders/{chain.upper['id']}/")[1]["undespatched"]["1"] == "200.000"
    assert sales.get(f"/api/v1/orders/{chain.lower['id']}/")[1]["undespatched"]["9"] == "1000.000"
    short = [{"received_quantity": "990.000", "accepted_quantity": "990.000", "short_quantity": "10.000"}]
    status, receipt = receive(clerk, sent["id"], short)
    assert status == 201, receipt
    assert receipt["total"] == {"amount": "184140.00", "currency": "CNY"}, "at the buyer's own price"
    assert receipt["location"]["within"] is True, "measured to where the buyer wanted the goods"
    assert receipt["order"]["id"] == chain.upper["id"]
    assert states(chain.upper, chain.lower) == ["PART_DELIVERED", "PART_DELIVERED"]
    for phone, order in ((clerk, chain.upper), (sales, chain.upper), (sales, chain.lower), (chain.phone, chain.lower)):
        shown = phone.get(f"/api/v1/orders/{order['id']}/")[1]
        assert [row["id"] for row in shown["despatches"]] == [sent["id"]]
        assert [row["id"] for row in shown["receipts"]] == [receipt["id"]]


def test_an_order_is_delivered_when_its_own_lines_are(cast: Cast, clerk: Phone, sales: Phone, chain: Chain) -> None:
    _, own = sales.post(
        "/api/v1/despatches/",
        {"order": chain.upper["id"], "despatch_no": "S-1", "lines": [{"order_line": "2", "quantity": "10.5"}]},
    )
    _, direct = send(chain.phone, chain.lower, chain.upper)
    assert receive(clerk, own["id"])[0] == receive(clerk, direct["id"])[0] == 201
    assert states(chain.upper, chain.lower) == ["DELIVERED", "PART_DELIVERED"]
    _, rest = send(chain.phone, chain.lower, None, "F-2", "800")
    assert receive(sales, rest["id"])[0] == 201, "what goes to the seller's own store the seller signs for"
    assert states(chain.upper, chain.lower) == ["DELIVERED", "DELIVERED"]


def test_goods_that_come_back_may_go_again_under_either_order(clerk: Phone, sales: Phone, chain: Chain) -> None:
    _, sent = send(chain.phone, chain.lower, chain.upper)
    refused = [{"accepted_quantity": "0.000", "rejected_quantity": "1200.000", "reject_reason": "DAMAGED"}]
    assert receive(clerk, sent["id"], refused)[1]["state"] == "REJECTED"
    assert states(chain.upper, chain.lower) == ["CONFIRMED", "CONFIRMED"]
    assert send(chain.phone, chain.lower, chain.upper, "F-2")[0] == 201


def test_not_more_goes_directly_than_either_order_bears(clerk: Phone, sales: Phone, chain: Chain) -> None:
    status, answer = send(chain.phone, chain.lower, chain.upper, quantity="1200.001")
    assert (status, answer["code"], answer["left"]) == (422, "over-despatched", "1200.000"), "the order above"
    own = {"order": chain.upper["id"], "despatch_no": "S-1", "lines": [{"order_line": "1", "quantity": "700"}]}
    assert sales.post("/api/v1/despatches/", own)[0] == 201
    status, answer = send(chain.phone, chain.lower, chain.upper, quantity="501")
    assert (status, answer["left"]) == (422, "500.000"), "the seller sent some of it"
    assert send(chain.phone, chain.lower, None, "F-0", "1900")[0] == 201
    status, answer = send(chain.phone, chain.lower, chain.upper, quantity="101")
    assert (status, answer["left"]) == (422, "100.000"), "the factory's own order"
    assert send(chain.phone, chain.lower, chain.upper, quantity="100")[0] == 201
    status, answer = sales.post("/api/v1/despatches/", own | {"despatch_no": "S-2"})
    assert (status, answer["left"]) == (422, "400.000"), "what the factory sent is no longer the seller's to send"
    assert Despatch.objects.count() == 3


def test_two_lines_for_one_line_above_count_together_there(
    cast: Cast, clerk: Phone, sales: Phone, chain: Chain
) -> None:
    second = agreed(sales, chain.phone, bought(cast.sales, chain.factory, chain.upper, "B-2").id)
    assert send(chain.phone, chain.lower, chain.upper, quantity="700")[0] == 201
    status, answer = send(chain.phone, second, chain.upper, "F-2", "501")
    assert (status, answer["left"]) == (422, "500.000")
    assert send(chain.phone, second, chain.upper, "F-2", "500")[0] == 201


def test_an_order_above_that_takes_no_goods_takes_none_directly(
    cast: Cast, clerk: Phone, sales: Phone, chain: Chain
) -> None:
    PurchaseOrder.objects.filter(id=from_typeid("ord", chain.upper["id"])).update(state="AMENDING")
    assert chain.phone.get(f"/api/v1/orders/{chain.lower['id']}/")[1]["delivers_to"] == []
    status, answer = send(chain.phone, chain.lower, chain.upper)
    assert (status, answer["code"]) == (409, "wrong-state")
    assert not Despatch.objects.exists()


def test_goods_go_only_to_an_order_that_the_line_is_bought_for(
    cast: Cast, clerk: Phone, sales: Phone, chain: Chain
) -> None:
    other = confirmed_order(cast, clerk, sales, order_no="PO-2")
    for end in (other, chain.lower):
        status, answer = send(chain.phone, chain.lower, end)
        assert (status, answer["code"], answer["errors"][0]["field"]) == (422, "rule-broken", "lines.0.order_line")
    assert send(phone_of(cast.stranger), chain.lower, chain.upper)[0] == 404
    assert send(sales, chain.lower, chain.upper)[0] == 404, "its buyer does not send it"
    assert not Despatch.objects.exists()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"unit": "KGM"}, "units do not mix"),
        ({"fulfils_line": "7"}, "took no order"),
    ],
)
def test_a_line_is_bought_only_for_a_line_like_it(cast: Cast, chain: Chain, change: dict[str, str], why: str) -> None:
    before = PurchaseOrder.objects.count()
    changes: dict[str, Any] = dict(change)
    if "fulfils_line" in changes:
        changes = {"fulfils": (from_typeid("ord", chain.upper["id"]), changes["fulfils_line"])}
    with pytest.raises(RuleBroken, match=why) as raised:
        bought(cast.sales, chain.factory, chain.upper, "B-2", **changes)
    assert raised.value.errors[0]["field"] == "lines.0.fulfils"
    assert PurchaseOrder.objects.count() == before


def test_only_the_buyer_of_an_order_says_what_it_is_for_and_only_of_orders_it_took(cast: Cast, chain: Chain) -> None:
    before = PurchaseOrder.objects.count()
    terms = order_terms(cast, order_no="B-3", buyer=cast.seller.id, seller=chain.factory.id)
    linked = [replace(terms["lines"][0], fulfils=(from_typeid("ord", chain.upper["id"]), "1"))]
    with pytest.raises(RuleBroken, match="Only the buyer"):
        services.issue_order(by=office(chain.worker), **(terms | {"lines": linked}))
    with pytest.raises(RuleBroken, match="took no order"):
        bought(cast.stranger, chain.factory, chain.upper, "B-4")
    unsigned = services.issue_order(by=office(cast.office), **order_terms(cast, order_no="PO-9"))
    with pytest.raises(RuleBroken, match="has not signed"):
        bought(cast.sales, chain.factory, {"id": typed("order", unsigned.id)}, "B-5")
    assert PurchaseOrder.objects.count() == before + 1
    assert OrderLine.objects.exclude(fulfils=None).count() == 1


def test_goods_never_go_round_in_a_circle_and_at_most_six_orders_stand_in_a_row(
    cast: Cast, clerk: Phone, sales: Phone, chain: Chain
) -> None:
    with pytest.raises(RuleBroken, match="circle"):
        bought(cast.sales, cast.buyer, chain.upper, "B-2")
    buyer, phone, order = chain.worker, chain.phone, chain.lower
    for number in range(3, 8):
        firm = organisation(f"91310115MA1TEXTG{number}", f"Firm{number}", "SELLER")
        if number == 7:
            with pytest.raises(RuleBroken, match="At most 6"):
                bought(buyer, firm, order, f"C-{number}", fulfils=(from_typeid("ord", order["id"]), "9"))
            break
        worker = member(firm, f"Worker{number}", "maker", "signer")
        line = {"fulfils": (from_typeid("ord", order["id"]), "9")}
        below = phone_of(worker)
        order = agreed(phone, below, bought(buyer, firm, order, f"C-{number}", **line).id)
        buyer, phone = worker, below
    assert PurchaseOrder.objects.count() == 6


def test_goods_of_a_sellers_seller_count_for_every_order_on_the_way(
    cast: Cast, clerk: Phone, sales: Phone, chain: Chain, drain: Callable[[], None]
) -> None:
    maker = organisation("91310115MA1TEXTM8", "Maker", "FACTORY")
    hand = phone_of(member(maker, "Hand", "maker", "signer"))
    line = {"fulfils": (from_typeid("ord", chain.lower["id"]), "9"), "unit_price": "90.00", "item_name": "Bare cooker"}
    lowest = agreed(chain.phone, hand, bought(chain.worker, maker, chain.lower, "C-1", **line).id)
    reach = hand.get(f"/api/v1/orders/{lowest['id']}/")[1]["delivers_to"]
    assert [(one["order"]["order_no"], one["left"]) for one in reach] == [
        ("B-1", {"9": "2000.000"}),
        ("PO-1", {"9": "1200.000"}),
    ]
    _, sent = send(hand, lowest, chain.upper)
    status, receipt = receive(clerk, sent["id"])
    assert (status, receipt["total"]["amount"]) == (201, "223200.00")
    assert states(chain.upper, chain.lower, lowest) == ["PART_DELIVERED"] * 3
    left = [
        PurchaseOrder.objects.get(id=from_typeid("ord", order["id"])) for order in (chain.upper, chain.lower, lowest)
    ]
    from backend.trade.selectors import sent_quantities

    assert [sent_quantities(order)[line] for order, line in zip(left, ("1", "9", "9"), strict=True)] == [1200] * 3
    drain()
    for phone, order, price in (
        (sales, chain.upper, "186.00"),
        (chain.phone, chain.lower, "120.00"),
        (hand, lowest, "90.00"),
    ):
        shown = phone.get(f"/api/v1/despatches/{sent['id']}/")[1]
        assert (shown["order"]["id"], shown["lines"][0]["unit_price"]) == (order["id"], price)
        buyer, number = order["document"]["buyer"]["uscc"], order["document"]["order_no"]
        trace = phone.get(f"/api/v1/trace/{buyer}/{number}")[1]
        assert trace["verdict"]["state"] == "sound", trace["verdict"]["faults"]
        assert trace["receipts"][0]["lines"][0]["accepted_quantity"] == "1200.000"


def test_the_driver_reports_a_direct_trip_to_where_the_buyer_receives(
    cast: Cast, clerk: Phone, driver: Phone, chain: Chain
) -> None:
    _, sent = send(chain.phone, chain.lower, chain.upper, **carried(cast))
    (trip,) = driver.get("/api/v1/tasks/")[1]["results"]
    assert (trip["kind"], trip["counterparty"]["name"], trip["total"]) == ("trip", "Buyer", None)
    path = f"/api/v1/despatches/{sent['id']}/milestones"
    for kind in ("PICKED_UP", "ARRIVED"):
        status, answer = driver.post(path, {"kind": kind, "capture": driver.capture(AT_GATE)})
        assert status == 201, answer
    assert answer["milestones"][1]["place"]["within"] is True
    (arriving,) = clerk.get("/api/v1/tasks/")[1]["results"]
    assert (arriving["kind"], arriving["counterparty"]["name"]) == ("delivery_to_receive", "Seller")
    assert arriving["total"]["amount"] == "223200.00"


def test_only_the_buyer_above_signs_for_what_comes_directly(
    cast: Cast, sales: Phone, clerk: Phone, chain: Chain
) -> None:
    _, sent = send(chain.phone, chain.lower, chain.upper)
    shown = clerk.get(f"/api/v1/despatches/{sent['id']}/")[1]
    for phone in (sales, chain.phone, phone_of(cast.stranger)):
        assert "receive" not in phone.get(f"/api/v1/despatches/{sent['id']}/")[1].get("actions", [])
        assert phone.sign("/api/v1/receipts/", phone.receipt_act(shown))[0] == 404
    assert not Receipt.objects.exists()
    assert receive(clerk, sent["id"])[0] == 201


def test_the_traces_of_both_orders_hold_the_delivery_and_are_sound(
    cast: Cast, clerk: Phone, sales: Phone, chain: Chain, drain: Callable[[], None]
) -> None:
    _, sent = send(chain.phone, chain.lower, chain.upper)
    receive(clerk, sent["id"])
    drain()
    for phone, buyer, number, line in (
        (clerk, cast.buyer, "PO-1", "1"),
        (sales, cast.seller, "B-1", "9"),
        (chain.phone, cast.seller, "B-1", "9"),
    ):
        status, trace = phone.get(f"/api/v1/trace/{buyer.uscc}/{number}")
        assert (status, trace["verdict"]["state"]) == (200, "sound"), trace["verdict"]["faults"]
        types = [step["type"] for step in trace["steps"]]
        assert types[-2:] == ["despatch.despatched", "receipt.signed"]
        (counted,) = trace["receipts"]
        assert (counted["lines"][0]["order_line"], counted["lines"][0]["accepted_quantity"]) == (line, "1200.000")
    signed = trace["steps"][-1]
    assert (signed["organisation"]["name"], signed["member"], signed["place"]) == ("Buyer", None, None)


@pytest.mark.parametrize(
    "tamper",
    [
        lambda: DirectLine.objects.all().delete(),
        lambda: Despatch.objects.update(end_order=None, end_version=None),
        lambda: OrderLine.objects.filter(line_id="9").update(fulfils=None),
        lambda: PurchaseOrder.objects.update(state="CONFIRMED"),
    ],
    ids=["what it counts for", "where it went", "what it was bought for", "state"],
)
def test_a_link_that_is_rewritten_by_hand_turns_the_trace_red(
    cast: Cast, clerk: Phone, sales: Phone, chain: Chain, drain: Callable[[], None], tamper: Callable[[], Any]
) -> None:
    _, sent = send(chain.phone, chain.lower, chain.upper)
    receive(clerk, sent["id"])
    drain()
    tamper()
    assert chain.phone.get(f"/api/v1/trace/{cast.seller.uscc}/B-1")[1]["verdict"]["state"] == "broken"


def test_a_direct_delivery_that_cannot_be_read_any_more_turns_the_traces_of_both_orders_red(
    cast: Cast, clerk: Phone, chain: Chain, drain: Callable[[], None]
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite keeps a word where a number belongs")
    _, sent = send(chain.phone, chain.lower, chain.upper)
    receive(clerk, sent["id"])
    drain()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE trade_despatchline SET quantity = 'zz'")
    for phone, buyer, number in ((clerk, cast.buyer, "PO-1"), (chain.phone, cast.seller, "B-1")):
        status, trace = phone.get(f"/api/v1/trace/{buyer.uscc}/{number}")
        assert (status, trace["order"], trace["verdict"]["state"]) == (200, None, "broken")
        named = {(fault["subject"], fault["field"]) for fault in trace["verdict"]["faults"]}
        assert (f"trade.Despatch {from_typeid('dsp', sent['id'])}", "lines.quantity") in named


def test_an_order_may_be_issued_with_what_it_is_for_through_the_interface(
    cast: Cast, clerk: Phone, chain: Chain, sales: Phone
) -> None:
    buyers = phone_of(member(cast.seller, "Purchasing", "maker"))
    line = {"line_id": "1", "item_name": "Cooker", "quantity": "5", "unit": "EA", "unit_price": "100"}
    body = {
        "order_no": "B-8",
        "buyer": typed("organisation", cast.seller.id),
        "seller": typed("organisation", chain.factory.id),
        "lines": [line | {"fulfils": {"order": chain.upper["id"], "line_id": "1"}}],
        "ship_to": {"name": "Store", "address": "9 Far Road", "latitude": str(GATE[0]), "longitude": str(GATE[1])},
        "payment_terms": {"days": 30, "from": "receipt"},
    }
    status, answer = buyers.post("/api/v1/orders/", body)
    assert status == 201, answer
    assert answer["document"]["lines"][0]["fulfils"] == {"order": chain.upper["id"], "line_id": "1"}
    body["order_no"], body["lines"][0]["fulfils"] = "B-9", {"order": chain.lower["id"], "line_id": "9"}
    status, answer = buyers.post("/api/v1/orders/", body)
    assert (status, answer["errors"][0]["field"]) == (422, "lines.0.fulfils"), "it did not take that order"


def test_the_ledger_keeps_what_the_receiver_does_not_see_in_a_section_of_its_own(chain: Chain) -> None:
    from backend.core.sections import open_section

    send(chain.phone, chain.lower, chain.upper)
    event = Event.objects.get(type="despatch.despatched")
    assert "B-1" not in str(open_section(event.id, "document").content)
    assert open_section(event.id, "supply").content["order"]["order_no"] == "B-1"


def test_an_order_whose_goods_are_on_their_way_from_further_down_is_not_cancelled_and_keeps_what_it_is_for(
    cast: Cast, clerk: Phone, sales: Phone, chain: Chain, drain: Callable[[], None]
) -> None:
    from tests.amending import agree, cancellation, propose

    lower = sales.get(f"/api/v1/orders/{chain.lower['id']}/")[1]
    proposed = propose(sales, lower, {"9": {"quantity": "1500", "unit_price": "119.00"}})
    status, answer = agree(chain.phone, proposed)
    assert status == 201, answer
    shown = chain.phone.get(f"/api/v1/orders/{chain.lower['id']}/")[1]
    assert shown["document"]["lines"][0]["fulfils"] == {"order": chain.upper["id"], "line_id": "1"}
    status, sent = send(chain.phone, chain.lower, chain.upper)
    assert (status, sent["lines"][0]["unit_price"]) == (201, "119.00")
    upper = clerk.get(f"/api/v1/orders/{chain.upper['id']}/")[1]
    body = cancellation(clerk, upper)
    status, answer = clerk.sign(f"/api/v1/orders/{upper['id']}/amendments", body)
    assert (status, answer["code"]) == (409, "already-delivered")
    assert receive(clerk, sent["id"])[0] == 201
    drain()
    trace = chain.phone.get(f"/api/v1/trace/{cast.seller.uscc}/B-1")[1]
    assert trace["verdict"]["state"] == "sound", trace["verdict"]["faults"]
