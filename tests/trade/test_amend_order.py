"""A confirmed order is changed by both of its sides together, or not at all."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction

from backend.core.clock import now
from backend.core.ids import from_typeid
from backend.core.models import Event
from backend.trade.models import (
    ORDER_TRANSITIONS,
    DocumentVersion,
    OrderAmendment,
    OrderLine,
    OrderState,
    PurchaseOrder,
    Signature,
)
from tests.amending import agree, amended, cancellation, order_act, proposal, propose
from tests.cast import Cast, confirmed_order, despatched, issued_order, member, phone_of
from tests.phone import Json, Phone

pytestmark = pytest.mark.django_db

FEWER = {"1": {"quantity": "1000"}}
LID = {
    "line_id": "3",
    "item_code": "",
    "item_name": "蒸笼",
    "quantity": "4",
    "unit": "EA",
    "unit_price": "12.5",
    "tax_rate": "0.13",
    "tolerance_pct": "5",
}


@pytest.fixture
def order(cast: Cast, clerk: Phone, sales: Phone) -> Json:
    return confirmed_order(cast, clerk, sales)


def read(phone: Phone, order: Json) -> Json:
    status, answer = phone.get(f"/api/v1/orders/{order['id']}/")
    assert status == 200, answer
    return answer


def test_both_sign_and_the_order_is_its_next_version(cast: Cast, clerk: Phone, sales: Phone, order: Json) -> None:
    proposed = propose(sales, order, {"1": {"quantity": "1000", "unit_price": "180.00", "tolerance_pct": "2"}}, LID)
    shown = read(clerk, order)
    assert (shown["state"], shown["version"], shown["document"]) == ("AMENDING", 1, order["document"])
    assert shown["amendment"]["id"] == proposed["id"]
    assert shown["amendment"]["actions"] == ["agree", "refuse"]
    assert shown["amendment"]["signing"]["text_id"] == "amendment.agree"
    assert read(sales, order)["amendment"]["actions"] == ["withdraw"]
    assert [(one["line_id"], one["before"], one["after"]) for one in shown["amendment"]["differences"]] == [
        (
            "1",
            {"quantity": "1200.000", "unit_price": "186.00", "tolerance_pct": "0", "amount": "223200.00"},
            {"quantity": "1000.000", "unit_price": "180.00", "tolerance_pct": "2", "amount": "180000.00"},
        ),
        ("3", None, {"quantity": "4.000", "unit_price": "12.5", "tolerance_pct": "5", "amount": "50.00"}),
    ]
    status, agreed = agree(clerk, proposed)
    assert (status, agreed["state"]) == (201, "AGREED")
    after = read(sales, order)
    assert (after["state"], after["version"], after["document"]["total"]) == ("CONFIRMED", 2, "180085.00")
    assert after["document"] == agreed["document"]
    assert after["digest"] == agreed["digest"]
    assert after["amendment"] is None
    assert [row["action"] for row in agreed["signatures"]] == ["amendment.propose", "amendment.agree"]
    kept = clerk.get(f"/api/v1/orders/{order['id']}/versions")[1]["results"]
    assert [(row["type"], row["version"], row["reason"]) for row in kept] == [
        ("order", 2, "less than planned"),
        ("amendment", 1, "less than planned"),
        ("order", 1, ""),
    ]
    assert kept[2]["document"] == order["document"]


def test_each_step_is_one_event_and_the_trace_stays_sound(
    cast: Cast, clerk: Phone, sales: Phone, order: Json, drain: Callable[[], None]
) -> None:
    status, answer = clerk.post(f"/api/v1/amendments/{propose(sales, order, FEWER)['id']}/refusal", {"reason": "no"})
    assert (status, answer["state"], answer["refusal_reason"]) == (201, "REFUSED", "no")
    status, answer = sales.post(f"/api/v1/amendments/{propose(sales, order, FEWER)['id']}/withdrawal", {})
    assert (status, answer["state"]) == (201, "WITHDRAWN")
    assert agree(sales, propose(clerk, order, FEWER))[0] == 201
    propose(sales, read(sales, order), {"1": {"quantity": "900"}})
    drain()
    trace = clerk.get(f"/api/v1/trace/{cast.buyer.uscc}/PO-1")[1]
    assert trace["verdict"]["faults"] == []
    assert trace["verdict"]["state"] == "sound"
    assert [step["type"] for step in trace["steps"]][3:] == [
        "amendment.proposed",
        "amendment.refused",
        "amendment.proposed",
        "amendment.withdrawn",
        "amendment.proposed",
        "order.amended",
        "amendment.proposed",
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"state": "REFUSED"}, "state"),
        ({"reason": "other"}, "reason"),
        ({"refusal_reason": "other"}, "refusal_reason"),
        ({"digest": "0" * 64}, "digest"),
        ({"document": {"lines": []}}, "document.total"),
        ({"closed_at": now()}, "closed_at"),
        ({"kind": "CANCEL"}, "kind"),
    ],
)
def test_an_amendment_rewritten_by_hand_turns_the_trace_red(
    cast: Cast, clerk: Phone, sales: Phone, order: Json, drain: Callable[[], None], change: Json, field: str
) -> None:
    agree(clerk, propose(sales, order, FEWER))
    drain()
    OrderAmendment.objects.update(**change)
    verdict = clerk.get(f"/api/v1/trace/{cast.buyer.uscc}/PO-1")[1]["verdict"]
    assert verdict["state"] == "broken"
    assert ("row-changed", field) in {(fault["code"], fault["field"]) for fault in verdict["faults"]}


def test_nobody_agrees_to_what_his_own_side_proposed(cast: Cast, sales: Phone, order: Json) -> None:
    proposed = propose(sales, order, FEWER)
    colleague = phone_of(member(cast.seller, "Colleague", "signer"))
    for phone in (sales, colleague):
        status, answer = agree(phone, proposed)
        assert (status, answer["code"]) == (403, "own-proposal")
    status, answer = sales.post(f"/api/v1/amendments/{proposed['id']}/refusal", {"reason": "no"})
    assert (status, answer["code"]) == (403, "own-proposal")
    assert OrderAmendment.objects.get().state == "PROPOSED"
    assert OrderLine.objects.get(line_id="1").quantity == 1200


def test_only_who_proposed_it_takes_it_back(clerk: Phone, sales: Phone, order: Json) -> None:
    proposed = propose(sales, order, FEWER)
    status, answer = clerk.post(f"/api/v1/amendments/{proposed['id']}/withdrawal", {})
    assert (status, answer["code"]) == (403, "not-proposer")
    assert PurchaseOrder.objects.get().state == "AMENDING"


def test_an_outsider_and_a_carrier_find_no_amendment(
    cast: Cast, clerk: Phone, sales: Phone, driver: Phone, order: Json
) -> None:
    proposed = propose(sales, order, FEWER)
    path = f"/api/v1/amendments/{proposed['id']}"
    stranger = phone_of(cast.stranger)
    for phone in (stranger, driver):
        assert phone.get(f"{path}/")[0] == 404
    assert phone_of(cast.risk).get(f"{path}/")[0] == 200
    body = order_act(clerk, "amendment.agree", order, proposed["document"])
    assert stranger.sign(f"{path}/agreement", body)[0] == 404
    assert stranger.post(f"{path}/refusal", {"reason": "no"})[0] == 404
    assert stranger.post(f"{path}/withdrawal", {})[0] == 404
    assert stranger.sign(f"/api/v1/orders/{order['id']}/amendments", proposal(clerk, order, FEWER))[0] == 404
    assert OrderAmendment.objects.get().state == "PROPOSED"


def test_who_may_not_sign_may_not_propose_nor_agree(cast: Cast, sales: Phone, order: Json) -> None:
    office = phone_of(cast.office)
    status, answer = office.sign(f"/api/v1/orders/{order['id']}/amendments", proposal(office, order, FEWER))
    assert (status, answer["code"]) == (403, "forbidden")
    assert not OrderAmendment.objects.exists()
    proposed = propose(sales, order, FEWER)
    status, answer = agree(office, proposed)
    assert (status, answer["code"]) == (403, "forbidden")
    assert office.get(f"/api/v1/amendments/{proposed['id']}/")[1]["actions"] == ["refuse"]


@pytest.mark.parametrize(
    ("changes", "added", "field"),
    [
        ({}, [], "lines"),
        ({"1": {"item_name": "电饭煲 5L"}}, [], "lines.0.item_name"),
        ({"2": {"unit": "KGM"}}, [], "lines.1.unit"),
        ({"1": {"tax_rate": "0.06"}}, [], "lines.0.tax_rate"),
        ({"1": {"unit_price": "0"}, "2": {"unit_price": "0"}}, [], "lines"),
        ({}, [LID, LID], "lines"),
        ({"1": {"unit_price": "99999999999"}}, [], "lines"),
    ],
)
def test_what_may_not_change_is_refused_by_its_field(
    sales: Phone, order: Json, changes: dict[str, Json], added: list[Json], field: str
) -> None:
    body = proposal(sales, order, changes, *[dict(one) for one in added])
    status, answer = sales.sign(f"/api/v1/orders/{order['id']}/amendments", body)
    assert (status, answer["code"], answer["errors"][0]["field"]) == (422, "rule-broken", field)
    assert not OrderAmendment.objects.exists()
    assert PurchaseOrder.objects.get().state == "CONFIRMED"


def test_no_line_is_taken_out(sales: Phone, order: Json) -> None:
    body = proposal(sales, order, FEWER)
    body["lines"] = body["lines"][:1]
    status, answer = sales.sign(f"/api/v1/orders/{order['id']}/amendments", body)
    assert (status, answer["code"]) == (422, "rule-broken")
    assert not OrderAmendment.objects.exists()


@pytest.mark.parametrize("part", ["currency", "order_no", "buyer", "seller", "ship_to", "contract_no"])
def test_currency_number_parties_and_place_are_not_what_an_amendment_signs(
    sales: Phone, order: Json, part: str
) -> None:
    document = amended(order, FEWER)
    given = document[part]
    document[part] = given | {"name": "X"} if isinstance(given, dict) else "USD"
    body = proposal(sales, order, FEWER) | order_act(sales, "amendment.propose", order, document)
    status, answer = sales.sign(f"/api/v1/orders/{order['id']}/amendments", body)
    assert (status, answer["code"]) in {(409, "document-changed"), (422, "signed-difference")}
    assert not OrderAmendment.objects.exists()


def test_a_line_does_not_go_below_what_was_despatched(cast: Cast, clerk: Phone, sales: Phone, order: Json) -> None:
    despatched(cast, order, sales, lines=[{"order_line": "1", "quantity": "800"}])
    for quantity, expected in (("799.999", 422), ("800", 201)):
        body = proposal(clerk, order, {"1": {"quantity": quantity}})
        status, answer = clerk.sign(f"/api/v1/orders/{order['id']}/amendments", body)
        assert status == expected, answer
    assert answer["differences"][0]["after"]["quantity"] == "800.000"


def test_goods_received_meanwhile_give_the_state_that_the_order_goes_on_in(
    cast: Cast, clerk: Phone, sales: Phone, order: Json
) -> None:
    sent = despatched(cast, order, sales, lines=[{"order_line": "1", "quantity": "800"}])
    whole = despatched(cast, order, sales, "DN-2", lines=[{"order_line": "2", "quantity": "10.5"}])
    proposed = propose(sales, order, {"1": {"quantity": "800"}})
    body = {"order": order["id"], "despatch_no": "DN-3", "lines": [{"order_line": "1", "quantity": "1"}]}
    status, answer = sales.post("/api/v1/despatches/", body)
    assert (status, answer["code"]) == (409, "wrong-state")
    for one in (sent, whole):
        shown = clerk.get(f"/api/v1/despatches/{one['id']}/")[1]
        assert clerk.sign("/api/v1/receipts/", clerk.receipt_act(shown))[0] == 201
    assert read(clerk, order)["state"] == "AMENDING"
    assert agree(clerk, proposed)[0] == 201
    assert read(clerk, order)["state"] == "DELIVERED"


def test_goods_sent_under_the_old_price_are_owed_at_it(
    cast: Cast, clerk: Phone, sales: Phone, order: Json, drain: Callable[[], None]
) -> None:
    old = despatched(cast, order, sales, lines=[{"order_line": "1", "quantity": "10"}])
    assert agree(clerk, propose(sales, order, {"1": {"unit_price": "200.00"}}))[0] == 201
    new = despatched(cast, order, sales, "DN-2", lines=[{"order_line": "1", "quantity": "10"}])
    totals = []
    for one in (old, new):
        shown = clerk.get(f"/api/v1/despatches/{one['id']}/")[1]
        status, receipt = clerk.sign("/api/v1/receipts/", clerk.receipt_act(shown))
        assert status == 201, receipt
        totals.append((receipt["document"]["order"]["version"], receipt["total"]["amount"]))
    assert totals == [(1, "1860.00"), (2, "2000.00")]
    drain()
    assert clerk.get(f"/api/v1/trace/{cast.buyer.uscc}/PO-1")[1]["verdict"]["state"] == "sound"


def test_the_other_sides_signer_finds_it_among_what_waits(cast: Cast, clerk: Phone, sales: Phone, order: Json) -> None:
    proposed = propose(sales, order, FEWER)

    def kinds(phone: Phone) -> list[str]:
        return [task["kind"] for task in phone.get("/api/v1/tasks/")[1]["results"]]

    assert kinds(clerk) == ["amendment_to_answer"]
    assert "amendment_to_answer" not in kinds(sales)
    assert kinds(phone_of(cast.stranger)) == []
    agree(clerk, proposed)
    assert kinds(clerk) == []


def test_a_second_amendment_waits_until_the_first_is_answered(clerk: Phone, sales: Phone, order: Json) -> None:
    propose(sales, order, FEWER)
    status, answer = clerk.sign(f"/api/v1/orders/{order['id']}/amendments", proposal(clerk, order, FEWER))
    assert (status, answer["code"]) == (409, "amendment-open")
    row = OrderAmendment.objects.get()
    row.pk = from_typeid("ord", order["id"])
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_an_amendment_of_a_superseded_version_is_refused(clerk: Phone, sales: Phone, order: Json) -> None:
    stale = proposal(sales, order, FEWER)
    assert agree(clerk, propose(sales, order, {"1": {"quantity": "1100"}}))[0] == 201
    status, answer = sales.sign(f"/api/v1/orders/{order['id']}/amendments", stale)
    assert (status, answer["code"]) == (409, "document-changed")
    assert OrderAmendment.objects.count() == 1


def test_an_agreement_to_anything_else_than_was_proposed_is_refused(clerk: Phone, sales: Phone, order: Json) -> None:
    proposed = propose(sales, order, FEWER)
    other = order_act(clerk, "amendment.agree", order, amended(order, {"1": {"quantity": "999"}}))
    status, answer = clerk.sign(f"/api/v1/amendments/{proposed['id']}/agreement", other)
    assert (status, answer["code"]) == (409, "document-changed")
    assert read(clerk, order)["state"] == "AMENDING"


def test_an_order_changed_by_hand_under_a_proposal_is_not_amended(clerk: Phone, sales: Phone, order: Json) -> None:
    proposed = propose(sales, order, FEWER)
    PurchaseOrder.objects.update(contract_no="C-9")
    status, answer = agree(clerk, proposed)
    assert (status, answer["code"]) == (409, "document-changed")
    assert PurchaseOrder.objects.get().version == 1
    assert OrderLine.objects.get(line_id="1").quantity == 1200


@pytest.mark.parametrize("act", ["agreement", "refusal", "withdrawal"])
@pytest.mark.parametrize("state", ["AGREED", "REFUSED", "WITHDRAWN"])
def test_what_was_answered_is_not_answered_again(clerk: Phone, sales: Phone, order: Json, act: str, state: str) -> None:
    proposed = propose(sales, order, FEWER)
    path = f"/api/v1/amendments/{proposed['id']}"
    if state == "AGREED":
        agree(clerk, proposed)
    elif state == "REFUSED":
        clerk.post(f"{path}/refusal", {"reason": "no"})
    else:
        sales.post(f"{path}/withdrawal", {})
    before = Event.objects.count()
    if act == "agreement":
        status, answer = clerk.sign(
            f"{path}/agreement", order_act(clerk, "amendment.agree", order, proposed["document"])
        )
    else:
        phone = clerk if act == "refusal" else sales
        status, answer = phone.post(f"{path}/{act}", {"reason": "no"} if act == "refusal" else {})
    assert (status, answer["code"], answer["state"]) == (409, "wrong-state", state)
    assert Event.objects.count() == before


@pytest.mark.parametrize("state", sorted(set(OrderState.values) - set(ORDER_TRANSITIONS["amend"]) - {"AMENDING"}))
def test_an_order_that_is_not_under_way_is_not_amended(sales: Phone, order: Json, state: str) -> None:
    PurchaseOrder.objects.update(state=state)
    for body in (proposal(sales, order, FEWER), cancellation(sales, order)):
        status, answer = sales.sign(f"/api/v1/orders/{order['id']}/amendments", body)
        assert (status, answer["code"], answer["state"]) == (409, "wrong-state", state)
    assert not OrderAmendment.objects.exists()


def test_both_sign_and_the_order_is_cancelled(
    cast: Cast, clerk: Phone, sales: Phone, order: Json, drain: Callable[[], None]
) -> None:
    status, proposed = clerk.sign(f"/api/v1/orders/{order['id']}/amendments", cancellation(clerk, order))
    assert status == 201, proposed
    assert [task["kind"] for task in sales.get("/api/v1/tasks/")[1]["results"]] == ["cancellation_to_answer"]
    assert agree(sales, proposed)[0] == 201
    after = read(clerk, order)
    assert (after["state"], after["version"], after["cancellation_reason"]) == ("CANCELLED", 1, "no longer needed")
    assert after["actions"] == ["attach"]
    drain()
    trace = clerk.get(f"/api/v1/trace/{cast.buyer.uscc}/PO-1")[1]
    assert trace["verdict"] | {"events": 0, "anchored": 0} == {
        "state": "sound",
        "faults": [],
        "events": 0,
        "anchored": 0,
    }
    assert trace["steps"][-1]["type"] == "order.cancelled"
    PurchaseOrder.objects.update(cancellation_reason="other")
    assert clerk.get(f"/api/v1/trace/{cast.buyer.uscc}/PO-1")[1]["verdict"]["state"] == "broken"


def test_a_cancelled_order_frees_its_number(cast: Cast, clerk: Phone, sales: Phone, order: Json) -> None:
    _, proposed = clerk.sign(f"/api/v1/orders/{order['id']}/amendments", cancellation(clerk, order))
    agree(sales, proposed)
    again = confirmed_order(cast, clerk, sales)
    assert (again["order_no"], again["state"]) == ("PO-1", "CONFIRMED")
    assert clerk.get(f"/api/v1/trace/{cast.buyer.uscc}/PO-1")[1]["order"]["id"] == again["id"]


def test_an_order_with_goods_received_or_on_their_way_is_not_cancelled(
    cast: Cast, clerk: Phone, sales: Phone, order: Json
) -> None:
    sent = despatched(cast, order, sales, lines=[{"order_line": "1", "quantity": "800"}])
    path = f"/api/v1/orders/{order['id']}/amendments"
    for _ in range(2):
        status, answer = clerk.sign(path, cancellation(clerk, read(clerk, order)))
        assert (status, answer["code"]) == (409, "already-delivered")
        shown = clerk.get(f"/api/v1/despatches/{sent['id']}/")[1]
        clerk.sign("/api/v1/receipts/", clerk.receipt_act(shown))
    assert not OrderAmendment.objects.exists()
    assert read(clerk, order)["state"] == "PART_DELIVERED"


def test_goods_that_all_went_back_do_not_keep_an_order(cast: Cast, clerk: Phone, sales: Phone, order: Json) -> None:
    sent = despatched(cast, order, sales, lines=[{"order_line": "1", "quantity": "8"}])
    back = {"accepted_quantity": "0.000", "rejected_quantity": "8.000", "reject_reason": "DAMAGED"}
    assert clerk.sign("/api/v1/receipts/", clerk.receipt_act(sent, [back]))[1]["state"] == "REJECTED"
    assert clerk.sign(f"/api/v1/orders/{order['id']}/amendments", cancellation(clerk, read(clerk, order)))[0] == 201


def test_who_issued_an_order_takes_it_back_until_the_seller_confirms(
    cast: Cast, clerk: Phone, sales: Phone, drain: Callable[[], None]
) -> None:
    from backend.core.ids import typed

    path = f"/api/v1/orders/{typed('order', issued_order(cast).id)}"
    status, answer = sales.post(f"{path}/cancellation", {"reason": "no"})
    assert (status, answer["code"]) == (403, "not-issuer")
    clerk.sign(f"{path}/signature", clerk.order_act(clerk.get(f"{path}/")[1]))
    status, answer = clerk.post(f"{path}/cancellation", {"reason": "typed wrongly"})
    assert (status, answer["state"], answer["cancellation_reason"]) == (201, "CANCELLED", "typed wrongly")
    drain()
    assert clerk.get(f"/api/v1/trace/{cast.buyer.uscc}/PO-1")[1]["verdict"]["state"] == "sound"
    status, answer = clerk.post(f"{path}/cancellation", {"reason": "again"})
    assert (status, answer["code"]) == (409, "wrong-state")


def test_a_confirmed_order_is_not_taken_back_alone(clerk: Phone, order: Json) -> None:
    status, answer = clerk.post(f"/api/v1/orders/{order['id']}/cancellation", {"reason": "no"})
    assert (status, answer["code"]) == (409, "wrong-state")
    assert PurchaseOrder.objects.get().state == "CONFIRMED"


def test_the_seller_refuses_what_the_buyer_signed_and_the_buyer_what_it_did_not(
    cast: Cast, clerk: Phone, sales: Phone, drain: Callable[[], None]
) -> None:
    from backend.core.ids import typed

    path = f"/api/v1/orders/{typed('order', issued_order(cast).id)}"
    status, answer = sales.post(f"{path}/rejection", {"reason": "not signed yet"})
    assert (status, answer["code"]) == (409, "wrong-state")
    clerk.sign(f"{path}/signature", clerk.order_act(clerk.get(f"{path}/")[1]))
    status, answer = clerk.post(f"{path}/rejection", {"reason": "signed already"})
    assert (status, answer["code"]) == (409, "wrong-state")
    assert sales.get(f"{path}/")[1]["actions"] == ["confirm", "reject", "attach"]
    status, answer = sales.post(f"{path}/rejection", {"reason": "out of stock"})
    assert (status, answer["state"], answer["rejection_reason"]) == (201, "REJECTED", "out of stock")
    drain()
    assert clerk.get(f"/api/v1/trace/{cast.buyer.uscc}/PO-1")[1]["verdict"]["state"] == "sound"


def test_nothing_of_a_proposal_is_left_when_one_part_of_it_fails(
    sales: Phone, order: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    events, signatures = Event.objects.count(), Signature.objects.count()
    monkeypatch.setattr("backend.trade.services.amendments.keep_version", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sales.sign(f"/api/v1/orders/{order['id']}/amendments", proposal(sales, order, FEWER))
    assert PurchaseOrder.objects.get().state == "CONFIRMED"
    assert not OrderAmendment.objects.exists()
    assert (Event.objects.count(), Signature.objects.count()) == (events, signatures)
    assert not DocumentVersion.objects.filter(subject_type="amendment").exists()
