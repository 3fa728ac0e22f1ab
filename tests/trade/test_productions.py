"""A factory makes lots for an order it took, and reports them as they became."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from backend.core.clock import now, rfc3339
from backend.core.models import Event
from backend.trade.models import (
    PRODUCTION_TRANSITIONS,
    Despatch,
    DespatchLine,
    DocumentVersion,
    OrderState,
    ProductionOrder,
    ProductionState,
    PurchaseOrder,
)
from tests.cast import Cast, confirmed_order, despatched, member, office, phone_of
from tests.phone import Json, Phone
from tests.trade.test_query_budgets import attach

pytestmark = pytest.mark.django_db


def ago(**span: float) -> str:
    return rfc3339(now() - timedelta(**span))


@pytest.fixture
def order(cast: Cast, clerk: Phone, sales: Phone) -> Json:
    return confirmed_order(cast, clerk, sales)


def plan(factory: Phone, order: Json, **changes: Any) -> tuple[int, Json]:
    body = {"order": order["id"], "order_line": "1", "production_no": "MO-1", "lot": "L-24", "planned_quantity": "1200"}
    return factory.post("/api/v1/productions/", body | changes)


def planned(factory: Phone, order: Json, **changes: Any) -> str:
    status, answer = plan(factory, order, **changes)
    assert status == 201, answer
    return f"/api/v1/productions/{answer['id']}"


STEPS: list[tuple[str, Callable[[], Json]]] = [
    ("start", lambda: {"started_at": ago(hours=5)}),
    ("output", lambda: {"produced_quantity": "1250.5", "finished_at": ago(hours=2)}),
    ("quality", lambda: {"passed_quantity": "1230", "tested_at": ago(hours=1)}),
    ("closure", dict),
]


def taken(factory: Phone, path: str, steps: int) -> Json:
    """The lot after the first so many steps."""
    answer: Json = {}
    for step, body in STEPS[:steps]:
        status, answer = factory.post(f"{path}/{step}", body())
        assert status == 201, answer
    return answer


def test_a_lot_is_planned_started_produced_over_tested_and_closed(
    cast: Cast, clerk: Phone, sales: Phone, order: Json, drain: Callable[[], None]
) -> None:
    path = planned(sales, order, gtin="6901234567892")
    closed = taken(sales, path, 4)
    assert (closed["state"], closed["version"]) == ("CLOSED", 4)
    shown = clerk.get(f"{path}/")[1]
    document = shown["document"]
    assert (document["planned_quantity"], document["produced_quantity"], document["passed_quantity"]) == (
        "1200.000",
        "1250.500",
        "1230.000",
    )
    assert (document["gtin"], document["lot"], document["order_line"]) == ("6901234567892", "L-24", "1")
    assert "186.00" not in str(shown)
    assert shown["actions"] == ["attach"]
    events = Event.objects.filter(type__startswith="production.").order_by("id")
    assert [(event.type, event.version) for event in events] == [
        ("production.planned", 1),
        ("production.started", 2),
        ("production.produced", 3),
        ("production.tested", 4),
        ("production.closed", 4),
    ]
    kept = DocumentVersion.objects.filter(subject_type="production").order_by("version")
    assert [row.document["produced_quantity"] for row in kept] == ["0.000", "0.000", "1250.500", "1250.500"]
    drain()
    trace = clerk.get(f"/api/v1/trace/{cast.buyer.uscc}/PO-1")[1]
    assert trace["verdict"] | {"events": 0, "anchored": 0} == {
        "state": "sound",
        "faults": [],
        "events": 0,
        "anchored": 0,
    }
    assert [(step["type"], step["number"]) for step in trace["steps"]][-1] == ("production.closed", "MO-1")


def test_a_lot_of_which_nothing_passed_has_failed(sales: Phone, order: Json) -> None:
    path = planned(sales, order)
    taken(sales, path, 2)
    status, answer = sales.post(f"{path}/quality", {"passed_quantity": "0", "tested_at": ago(hours=1)})
    assert (status, answer["state"], answer["passed_quantity"]) == (201, "QC_FAILED", "0.000")
    assert sales.post(f"{path}/closure", {})[1]["state"] == "CLOSED"


def test_a_lot_may_fall_short_of_its_plan_and_no_more_pass_than_was_made(sales: Phone, order: Json) -> None:
    path = planned(sales, order)
    taken(sales, path, 1)
    status, answer = sales.post(f"{path}/output", {"produced_quantity": "3", "finished_at": ago(hours=2)})
    assert (status, answer["produced_quantity"]) == (201, "3.000")
    status, answer = sales.post(f"{path}/quality", {"passed_quantity": "3.001", "tested_at": ago(hours=1)})
    assert (status, answer["code"], answer["errors"][0]["field"]) == (400, "quantity-invalid", "passed_quantity")
    assert ProductionOrder.objects.get().state == "PRODUCED"


REQUESTS: dict[str, tuple[str, Callable[[], Json]]] = {
    "start": STEPS[0],
    "produce": STEPS[1],
    "pass": ("quality", lambda: {"passed_quantity": "1", "tested_at": ago(hours=1)}),
    "fail": ("quality", lambda: {"passed_quantity": "0", "tested_at": ago(hours=1)}),
    "close": STEPS[3],
    "cancel": ("cancellation", lambda: {"reason": "no material"}),
}


@pytest.mark.parametrize("state", ProductionState.values)
@pytest.mark.parametrize("act", PRODUCTION_TRANSITIONS)
def test_a_lot_moves_only_as_its_table_says(sales: Phone, order: Json, act: str, state: str) -> None:
    path = planned(sales, order)
    ProductionOrder.objects.update(state=state, produced_quantity=5)
    events = Event.objects.count()
    step, body = REQUESTS[act]
    status, answer = sales.post(f"{path}/{step}", body())
    following = PRODUCTION_TRANSITIONS[act].get(state)
    if following is None:
        assert (status, answer["code"], answer["state"]) == (409, "wrong-state", state)
        assert (ProductionOrder.objects.get().state, Event.objects.count()) == (state, events)
    else:
        assert (status, answer["state"]) == (201, following)
        assert Event.objects.count() == events + 1


@pytest.mark.parametrize("state", sorted(set(OrderState.values) - {"CONFIRMED", "PART_DELIVERED", "AMENDING"}))
def test_nothing_is_planned_for_an_order_that_is_not_under_way(sales: Phone, order: Json, state: str) -> None:
    PurchaseOrder.objects.update(state=state)
    status, answer = plan(sales, order)
    assert (status, answer["code"]) == (409, "wrong-state")
    assert not ProductionOrder.objects.exists()


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"gtin": "6901234567891"}, "gtin-invalid", "gtin"),
        ({"gtin": "123"}, "gtin-invalid", "gtin"),
        ({"order_line": "9"}, "rule-broken", "order_line"),
        ({"production_no": "\u200b"}, "rule-broken", "production_no"),
        ({"planned_quantity": "0"}, "invalid", "planned_quantity"),
    ],
)
def test_what_cannot_be_planned_is_refused_by_its_field(
    sales: Phone, order: Json, changes: Json, code: str, field: str
) -> None:
    status, answer = plan(sales, order, **changes)
    assert status in (400, 422)
    assert (answer["errors"][0]["field"], answer["errors"][0]["code"]) == (field, code)
    assert not ProductionOrder.objects.exists()


@pytest.mark.parametrize("number", ["mo-1", "ＭＯ-1", " MO-1 "])
def test_a_factory_uses_a_number_once(sales: Phone, order: Json, number: str) -> None:
    planned(sales, order)
    status, answer = plan(sales, order, production_no=number)
    assert (status, answer["code"]) == (409, "number-taken")
    assert ProductionOrder.objects.count() == 1


@pytest.mark.parametrize(
    ("steps", "body"),
    [
        (0, {"started_at": ago(minutes=-30)}),
        (1, {"produced_quantity": "1", "finished_at": ago(minutes=-30)}),
        (1, {"produced_quantity": "1", "finished_at": ago(hours=6)}),
        (2, {"passed_quantity": "1", "tested_at": ago(hours=3)}),
        (2, {"passed_quantity": "1", "tested_at": ago(minutes=-30)}),
    ],
)
def test_times_are_in_order_and_none_lies_ahead(sales: Phone, order: Json, steps: int, body: Json) -> None:
    path = planned(sales, order)
    taken(sales, path, steps)
    before = ProductionOrder.objects.values().get()
    status, answer = sales.post(f"{path}/{STEPS[steps][0]}", body)
    assert (status, answer["code"]) == (422, "rule-broken")
    assert answer["errors"][0]["field"] == list(body)[-1]
    assert ProductionOrder.objects.values().get() == before


def test_who_saw_an_older_version_writes_nothing(sales: Phone, order: Json) -> None:
    path = planned(sales, order)
    taken(sales, path, 1)
    body = STEPS[1][1]()
    headers = sales.headers("a-key-of-one-write")
    status, answer = sales.send("POST", f"{path}/output", body, headers | {"If-Match": '"1"'})
    assert (status, answer["code"], answer["version"]) == (412, "stale-version", 2)
    assert ProductionOrder.objects.get().state == "STARTED"
    status, answer = sales.send("POST", f"{path}/output", body, headers | {"If-Match": "W/2"})
    assert (status, answer["code"]) == (400, "malformed")
    status, answer = sales.send("POST", f"{path}/output", body, headers | {"If-Match": '"2"'})
    assert (status, answer["version"]) == (201, 3)


def test_the_buyer_reads_and_does_not_report(
    cast: Cast, clerk: Phone, sales: Phone, driver: Phone, order: Json
) -> None:
    path = planned(sales, order)
    assert clerk.get(f"{path}/")[1]["actions"] == ["attach"]
    assert sales.get(f"{path}/")[1]["actions"] == ["start", "cancel", "attach"]
    assert phone_of(cast.risk).get(f"{path}/")[0] == 200
    for phone in (clerk, phone_of(cast.stranger)):
        assert phone.post(f"{path}/start", {"started_at": ago(hours=1)})[0] == 404
        assert plan(phone, order, production_no="MO-2")[0] == 404
    for phone in (driver, phone_of(cast.stranger)):
        assert phone.get(f"{path}/")[0] == 404
        assert phone.get("/api/v1/productions/")[1]["results"] == []
    viewer = phone_of(member(cast.seller, "Viewer", "viewer"))
    assert viewer.post(f"{path}/start", {"started_at": ago(hours=1)})[0] == 403
    assert viewer.get(f"{path}/")[1]["actions"] == []
    assert [row["lot"] for row in clerk.get("/api/v1/productions/?state=PLANNED")[1]["results"]] == ["L-24"]
    assert clerk.get("/api/v1/productions/?state=CLOSED")[1]["results"] == []
    assert clerk.get("/api/v1/productions/?state=X")[0] == 400
    assert ProductionOrder.objects.get().state == "PLANNED"


def test_a_quality_report_is_attached_to_the_lot(clerk: Phone, sales: Phone, order: Json) -> None:
    path = planned(sales, order)
    attach(sales, path.rpartition("/")[2], 1, kind="quality_report")
    assert [card["kind"] for card in clerk.get(f"{path}/")[1]["vouchers"]] == ["quality_report"]


def test_a_lot_that_is_not_made_says_why_and_only_before_it_was(
    cast: Cast, clerk: Phone, sales: Phone, order: Json, drain: Callable[[], None]
) -> None:
    path = planned(sales, order)
    status, answer = sales.post(f"{path}/cancellation", {"reason": "no material"})
    assert (status, answer["state"], answer["cancellation_reason"]) == (201, "CANCELLED", "no material")
    drain()
    assert clerk.get(f"/api/v1/trace/{cast.buyer.uscc}/PO-1")[1]["verdict"]["state"] == "sound"
    ProductionOrder.objects.update(cancellation_reason="other")
    assert clerk.get(f"/api/v1/trace/{cast.buyer.uscc}/PO-1")[1]["verdict"]["state"] == "broken"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"state": "CLOSED"}, "state"),
        ({"passed_quantity": 1000}, "passed_quantity"),
        ({"lot": "L-25"}, "lot"),
        ({"digest": "0" * 64}, "digest"),
        ({"production_key": "X"}, "production_no"),
        ({"tested_at": now()}, "tested_at"),
        ({"version": 9}, "version"),
        ({"order_version": 9}, "order.version"),
    ],
)
def test_a_lot_rewritten_by_hand_turns_the_trace_red(
    cast: Cast, clerk: Phone, sales: Phone, order: Json, drain: Callable[[], None], change: Json, field: str
) -> None:
    taken(sales, planned(sales, order), 3)
    drain()
    ProductionOrder.objects.update(**change)
    verdict = clerk.get(f"/api/v1/trace/{cast.buyer.uscc}/PO-1")[1]["verdict"]
    assert verdict["state"] == "broken"
    assert ("row-changed", field) in {(fault["code"], fault["field"]) for fault in verdict["faults"]}


def test_what_is_sent_names_its_lot_and_the_lot_tells_what_was_sent(cast: Cast, sales: Phone, order: Json) -> None:
    path = planned(sales, order)
    taken(sales, path, 3)
    line = {"order_line": "1", "quantity": "800", "production_no": "mo-1"}
    sent = despatched(cast, order, sales, lines=[line])
    assert (sent["document"]["lines"][0]["lot"], sent["document"]["lines"][0]["production_no"]) == ("L-24", "MO-1")
    assert sales.get(f"{path}/")[1]["despatched_quantity"] == "800.000"
    assert DespatchLine.objects.get().production == ProductionOrder.objects.get()


def test_another_factorys_lot_another_lines_and_a_cancelled_one_are_not_sent(
    cast: Cast, clerk: Phone, sales: Phone, order: Json
) -> None:
    other = phone_of(member(cast.outsider, "Rival", "maker", "signer"))
    theirs = confirmed_order(cast, clerk, other, order_no="PO-2", seller=cast.outsider.id)
    planned(other, theirs, production_no="THEIRS")
    planned(sales, order, order_line="2", production_no="LIDS")
    sales.post(f"{planned(sales, order, production_no='GONE')}/cancellation", {"reason": "no"})
    planned(sales, order)
    for number, lot, field in (
        ("THEIRS", "", "lines.0.production_no"),
        ("LIDS", "", "lines.0.production_no"),
        ("GONE", "", "lines.0.production_no"),
        ("NONE", "", "lines.0.production_no"),
        ("MO-1", "L-99", "lines.0.lot"),
    ):
        line = {"order_line": "1", "quantity": "8", "production_no": number, "lot": lot}
        body = {"order": order["id"], "despatch_no": "DN-1", "lines": [line]}
        status, answer = sales.post("/api/v1/despatches/", body)
        assert (status, answer["code"], answer["errors"][0]["field"]) == (422, "rule-broken", field)
    assert not Despatch.objects.exists()


def test_the_console_may_report_as_the_phone_does(cast: Cast, sales: Phone, order: Json) -> None:
    from backend.core.ids import from_typeid
    from backend.trade import services

    path = planned(sales, order)
    production = from_typeid("prd", path.rpartition("/")[2])
    row = services.start_production(by=office(cast.sales), production_id=production, started_at=now())
    assert row.state == "STARTED"
