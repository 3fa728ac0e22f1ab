"""How many queries each read may take, however much there is to read; and the write that everything is about."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.core.ids import typed
from tests.amending import propose
from tests.cast import AT_GATE, Cast, confirmed_order, despatched, issued_order
from tests.evidence.conftest import pdf
from tests.phone import Json, Phone
from tests.plans import walking

pytestmark = pytest.mark.django_db

# three of each are for the session and the member
BUDGETS = {
    "clerk tasks/": 16,
    "sales tasks/": 11,
    "driver tasks/": 11,
    "clerk orders/": 4,
    "clerk despatches/": 7,
    "driver despatches/": 7,
    "clerk receipts/": 6,
    "clerk productions/": 3,
    "clerk productions/{production}/": 9,
    "clerk logins/": 2,
    "sales carriers/": 5,
    "clerk vouchers/?subject={order}": 7,
    "clerk orders/{order}/": 22,
    "sales despatches/{despatch}/": 12,
    "clerk amendments/{amendment}/": 8,
    "clerk receipts/{receipt}/": 10,
    "clerk trace/{buyer}/PO-0": 47,
    "clerk orders/{order}/versions": 6,
}


# of these, 7 open and close transactions, and 7 write one row or more each
SIGNING_BUDGET = 27


def attach(phone: Phone, subject: str, number: int, kind: str = "other") -> None:
    data = pdf(f"% {number} {subject}\n".encode())
    announced = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "filename": "a.pdf"}
    _, upload = phone.post("/api/v1/uploads/", announced | {"mime": "application/pdf", "source": "file"})
    phone.send("PUT", f"/api/v1/uploads/{upload['id']}/parts/0", data, phone.headers())
    status, answer = phone.post("/api/v1/vouchers/", {"upload": upload["id"], "kind": kind, "subject": subject})
    assert status == 201, answer


@pytest.fixture
def busy(cast: Cast, clerk: Phone, sales: Phone, drain: Callable[[], None]) -> dict[str, str]:
    """Three orders on their way, one with three deliveries signed for and vouchers on everything, three that wait."""
    orders = [confirmed_order(cast, clerk, sales, order_no=f"PO-{number}") for number in range(3)]
    sent: list[Json] = []
    for number, order in enumerate([*orders, orders[0], orders[0]]):
        lines = [{"order_line": "1", "quantity": "5"}]
        sent.append(despatched(cast, order, sales, number=f"DN-{number}", lines=lines))
    receipts = []
    for one in (sent[0], sent[3]):
        shown = clerk.get(f"/api/v1/despatches/{one['id']}/")[1]
        receipts.append(clerk.sign("/api/v1/receipts/", clerk.receipt_act(shown))[1])
    named = {"order": orders[0]["id"], "despatch": sent[0]["id"], "receipt": receipts[0]["id"]}
    for subject in named.values():
        for number in range(3):
            attach(sales, subject, number)
    for number in range(3):
        lot = {"order": orders[0]["id"], "order_line": "1", "lot": "L", "planned_quantity": "5"}
        status, production = sales.post("/api/v1/productions/", lot | {"production_no": f"MO-{number}"})
        assert status == 201, production
    named["production"] = production["id"]
    named["amendment"] = propose(sales, orders[0], {"1": {"quantity": "1300"}})["id"]
    for number in range(3):
        assert typed("order", issued_order(cast, order_no=f"X-{number}").id)
    drain()
    return named | {"buyer": cast.buyer.uscc}


def test_each_read_keeps_to_its_queries(
    clerk: Phone, sales: Phone, driver: Phone, busy: dict[str, str], django_assert_max_num_queries: Any
) -> None:
    phones = {"clerk": clerk, "sales": sales, "driver": driver}
    for read, budget in BUDGETS.items():
        who, path = read.split()
        with django_assert_max_num_queries(budget, info=read):
            status, answer = phones[who].get("/api/v1/" + path.format(**busy))
        assert status == 200, answer
        assert len(answer.get("results", answer.get("steps", [0, 0]))) > 1 or "carriers" in read or "logins" in read


def test_a_signature_keeps_to_its_queries(cast: Cast, clerk: Phone, sales: Phone, busy: dict[str, str]) -> None:
    order = confirmed_order(cast, clerk, sales, order_no="PO-9")
    shown = clerk.get(f"/api/v1/despatches/{despatched(cast, order, sales, number='DN-9')['id']}/")[1]
    act = clerk.receipt_act(shown, capture=clerk.capture(AT_GATE))
    with CaptureQueriesContext(connection) as made:
        status, answer = clerk.sign("/api/v1/receipts/", act)
    statements = [query["sql"] for query in made]
    assert status == 201, answer
    assert len(statements) == SIGNING_BUDGET, "\n".join(statements)
    if connection.vendor == "sqlite":
        assert walking(statements) == []
