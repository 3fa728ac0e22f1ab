from decimal import Decimal
from typing import Any

import pytest

from backend.core.events import Actor
from backend.core.ids import typed
from backend.core.models import Event
from backend.parties.models import Verification
from backend.trade import errors, services
from backend.trade.models import PurchaseOrder
from tests.cast import Cast, issued_order, member, order_terms, organisation, phone_of
from tests.cast import office as at_the_console
from tests.phone import Json, Phone

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(cast: Cast) -> Phone:
    return phone_of(cast.office)


def order_body(cast: Cast, line: Json | None = None, **changes: Any) -> Json:
    """What the buyer's office sends to issue an order."""
    first = {"line_id": "1", "item_name": "电饭煲 4L", "quantity": "10", "unit": "EA", "unit_price": "186.00"}
    place = {"name": "Gate 3", "address": "1 Warehouse Road", "latitude": "31.2304", "longitude": "121.4737"}
    return {
        "order_no": "PO-1",
        "buyer": typed("organisation", cast.buyer.id),
        "seller": typed("organisation", cast.seller.id),
        "lines": [first | (line or {})],
        "ship_to": place,
        "payment_terms": {"days": 60, "from": "receipt"},
    } | changes


def issue(phone: Phone, body: Json) -> tuple[int, Json]:
    return phone.post("/api/v1/orders/", body)


def test_the_document_of_an_order_is_the_same_when_it_is_read_again(cast: Cast, office: Phone) -> None:
    status, issued = issue(office, order_body(cast))
    assert status == 201, issued
    assert office.get(f"/api/v1/orders/{issued['id']}/")[1]["digest"] == PurchaseOrder.objects.get().digest
    assert issued["document"]["total"] == "1860.00"


@pytest.mark.parametrize(
    "line",
    [
        {"unit_price": "0"},
        {"unit_price": "0.004", "quantity": "1"},
        {"unit_price": "999999999999", "quantity": "999999999999"},
        {"unit_price": "10000000000000"[:12], "quantity": "999"},
    ],
    ids=["nothing", "less than half a fen", "more than is kept", "ten trillion"],
)
def test_a_total_that_cannot_be_is_refused_at_the_lines(cast: Cast, office: Phone, line: Json) -> None:
    status, answer = issue(office, order_body(cast, line))
    assert (status, answer["code"]) == (422, "rule-broken"), answer
    assert answer["errors"][0]["field"] == "lines"
    assert not PurchaseOrder.objects.exists() and not Event.objects.filter(type="order.issued").exists()


@pytest.mark.parametrize(
    "number", ["PO-1\u200b", "\u202ePO-1", "PO\u00ad-1", "\ufdfa" * 5], ids=["blank", "turned", "hyphen", "unfolds"]
)
def test_a_number_that_reads_as_another_or_unfolds_beyond_its_column_is_refused(
    cast: Cast, office: Phone, number: str
) -> None:
    status, answer = issue(office, order_body(cast, order_no=number))
    assert (status, answer["code"]) == (422, "rule-broken"), answer
    assert answer["errors"][0]["field"] == "order_no"
    assert not PurchaseOrder.objects.exists()


@pytest.mark.parametrize("number", ["po-1", " PO-1 ", "ＰＯ－1"])
def test_a_number_is_taken_once_a_buyer_however_it_is_written(cast: Cast, office: Phone, number: str) -> None:
    assert issue(office, order_body(cast))[0] == 201
    status, answer = issue(office, order_body(cast, order_no=number))
    assert (status, answer["code"]) == (409, "number-taken")
    assert PurchaseOrder.objects.count() == 1


def test_a_seller_who_proposes_an_order_learns_no_number_of_others_and_uses_none_up(
    cast: Cast, office: Phone, clerk: Phone
) -> None:
    assert issue(office, order_body(cast))[0] == 201
    rival = member(organisation("91310115MA1TEXTR6", "Rival", "SELLER"), "Rival", "maker")
    proposals = [
        order_body(cast, order_no=number, seller=typed("organisation", rival.organisation_id))
        for number in ("PO-1", "PO-2")
    ]
    assert [issue(phone_of(rival), body)[0] for body in proposals] == [201, 201]
    assert issue(phone_of(rival), proposals[0])[1]["code"] == "number-taken", "its own proposal, that it may know"
    assert issue(office, order_body(cast, order_no="PO-2"))[0] == 201, "the buyer's number is the buyer's"


def test_the_buyer_signs_one_order_of_a_number_and_the_trace_is_of_that_one(cast: Cast, clerk: Phone) -> None:
    rival = member(organisation("91310115MA1TEXTR6", "Rival", "SELLER"), "Rival", "maker", "signer")
    true = issued_order(cast)
    by: Actor = at_the_console(rival)
    false = services.issue_order(by=by, **(order_terms(cast) | {"seller": rival.organisation_id}))
    statuses = []
    for order in (true, false):
        path = f"/api/v1/orders/{typed('order', order.id)}"
        status, answer = clerk.sign(f"{path}/signature", clerk.order_act(clerk.get(f"{path}/")[1]))
        statuses.append((status, answer.get("code")))
    assert statuses == [(201, None), (409, "number-taken")]
    false.refresh_from_db()
    assert false.state == "ISSUED" and not false.signatures.exists()
    _, trace = clerk.get(f"/api/v1/trace/{cast.buyer.uscc}/PO-1")
    assert trace["order"]["id"] == typed("order", true.id)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({"unit_price": "１８６.00"}, "lines.0.unit_price"),
        ({"quantity": "1٠"}, "lines.0.quantity"),
        ({"tolerance_pct": "٥"}, "lines.0.tolerance_pct"),
        ({"quantity": "0"}, "lines.0.quantity"),
        ({"quantity": "-1"}, "lines.0.quantity"),
        ({"unit_price": "1e3"}, "lines.0.unit_price"),
    ],
)
def test_a_figure_of_other_digits_than_0_to_9_is_refused_by_field(
    cast: Cast, office: Phone, line: Json, field: str
) -> None:
    status, answer = issue(office, order_body(cast, line))
    assert status == 400
    assert [error["field"] for error in answer["errors"]] == [field]


def test_neither_a_third_party_nor_a_member_who_only_signs_issues_an_order(cast: Cast, clerk: Phone) -> None:
    assert issue(phone_of(cast.stranger), order_body(cast))[0] == 404
    assert issue(clerk, order_body(cast))[0] == 403
    assert not PurchaseOrder.objects.exists()


def test_the_order_of_who_is_verified_is_found_before_that_of_who_claims_the_code(cast: Cast, office: Phone) -> None:
    """Somebody claims the buyer's code and is first to use the number: the trace still is of the verified buyer's order."""
    copy = organisation(cast.buyer.uscc[:17], "Not the buyer", "BUYER", Verification.CLAIMED)
    by: Actor = at_the_console(member(copy, "Impostor", "maker"))
    services.issue_order(by=by, **(order_terms(cast) | {"buyer": copy.id}))
    true = issued_order(cast)
    status, trace = phone_of(cast.sales).get(f"/api/v1/trace/{cast.buyer.uscc}/PO-1")
    assert (status, trace["order"]["id"]) == (200, typed("order", true.id))


def test_a_number_with_nul_in_the_address_names_nothing(cast: Cast, office: Phone) -> None:
    status, answer = office.get(f"/api/v1/trace/{cast.buyer.uscc}/PO%00-1")
    assert (status, answer["code"]) == (404, "not-found")


def test_the_amount_of_a_line_is_rounded_once_half_up(cast: Cast, office: Phone) -> None:
    status, order = issue(office, order_body(cast, {"quantity": "0.5", "unit_price": "0.05"}))
    assert (status, order["document"]["total"]) == (201, "0.03")
    assert PurchaseOrder.objects.get().lines.get().quantity == Decimal("0.500")


def test_a_rejected_order_frees_its_number_and_the_trace_finds_the_new_one(cast: Cast, clerk: Phone) -> None:
    rejected = issued_order(cast)
    path = f"/api/v1/orders/{typed('order', rejected.id)}/rejection"
    assert clerk.post(path, {"reason": "价格不对"})[0] == 201
    again = issued_order(cast)
    _, trace = clerk.get(f"/api/v1/trace/{cast.buyer.uscc}/{again.order_no}")
    assert trace["order"]["id"] == typed("order", again.id)
    with pytest.raises(errors.NumberTaken):
        issued_order(cast)
