"""Whatever two sides do to an order in whatever order: versions stay a chain, digests fit, and the rows are what the events tell."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from backend.core.ids import from_typeid
from backend.trade import documents, tracing
from backend.trade.models import DocumentVersion, OrderAmendment, PurchaseOrder
from tests.amending import agree, proposal
from tests.cast import Cast, confirmed_order, despatched, office
from tests.phone import Json, Phone

pytestmark = pytest.mark.django_db

PRICES = st.sampled_from(["186.00", "0.01", "99.999", "3.3333333"])
TERMS = st.fixed_dictionaries(
    {
        "quantity": st.integers(1, 2_000_000).map(lambda thousandths: str(Decimal(thousandths) / 1000)),
        "unit_price": PRICES,
        "tolerance_pct": st.sampled_from(["0", "5", "12.5"]),
    }
)
ITEM = {"item_code": "", "item_name": "蒸笼", "unit": "EA", "tax_rate": "0.13"}
SIDES = st.sampled_from(["buyer", "seller"])


def history(cast: Cast, clerk: Phone, sales: Phone) -> type[RuleBasedStateMachine]:
    """The machine: two phones, one order, and a model of what it should say by now."""

    class History(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.undo = transaction.atomic()
            self.undo.__enter__()
            self.order: Json = confirmed_order(cast, clerk, sales)
            self.path = f"/api/v1/orders/{self.order['id']}"
            self.phones = {"buyer": clerk, "seller": sales}
            self.terms = {line["line_id"]: line for line in self.order["document"]["lines"]}
            self.version = 1
            self.waiting: tuple[str, Json] | None = None
            self.sent = 0

        def row(self) -> PurchaseOrder:
            return PurchaseOrder.objects.get(id=from_typeid("ord", self.order["id"]))

        @rule(side=SIDES, line=st.sampled_from(["1", "2"]), terms=TERMS, added=st.none() | TERMS)
        def propose(self, side: str, line: str, terms: Json, added: Json | None) -> None:
            phone, shown = self.phones[side], self.phones[side].get(f"{self.path}/")[1]
            more = [] if added is None else [ITEM | added | {"line_id": f"N{self.version}"}]
            body = proposal(phone, shown, {line: terms}, *[dict(one) for one in more])
            before = OrderAmendment.objects.count()
            status, answer = phone.sign(f"{self.path}/amendments", body)
            if status == 201:
                assert self.waiting is None
                assert shown["state"] in ("CONFIRMED", "PART_DELIVERED")
                self.waiting = (side, answer)
            else:
                assert answer["code"] in ("amendment-open", "wrong-state", "rule-broken"), answer
                assert OrderAmendment.objects.count() == before

        @precondition(lambda self: self.waiting)
        @rule()
        def agree(self) -> None:
            side, proposed = self.waiting or ("", {})
            other = self.phones["seller" if side == "buyer" else "buyer"]
            status, answer = agree(other, proposed)
            assert status == 201, answer
            self.version += 1
            self.terms = {line["line_id"]: line for line in proposed["document"]["lines"]}
            self.waiting = None

        @precondition(lambda self: self.waiting)
        @rule(refuse=st.booleans())
        def leave(self, refuse: bool) -> None:
            side, proposed = self.waiting or ("", {})
            other = "seller" if side == "buyer" else "buyer"
            act, who, body = ("refusal", other, {"reason": "no"}) if refuse else ("withdrawal", side, {})
            status, answer = self.phones[who].post(f"/api/v1/amendments/{proposed['id']}/{act}", body)
            assert status == 201, answer
            self.waiting = None

        @rule(line=st.sampled_from(["1", "2"]), short=st.booleans())
        def deliver(self, line: str, short: bool) -> None:
            shown = sales.get(f"{self.path}/")[1]
            left = shown["undespatched"].get(line)
            if left is None or "despatch" not in shown["actions"]:
                return
            self.sent += 1
            lines = [{"order_line": line, "quantity": left if not short else "0.001"}]
            sent = despatched(cast, shown, sales, f"DN-{self.sent}", lines=lines)
            receipt = clerk.receipt_act(clerk.get(f"/api/v1/despatches/{sent['id']}/")[1])
            status, answer = clerk.sign("/api/v1/receipts/", receipt)
            assert status == 201, answer
            assert answer["document"]["order"]["version"] == self.version

        @invariant()
        def versions_are_a_chain_and_the_last_is_the_order(self) -> None:
            row = self.row()
            kept = list(DocumentVersion.objects.filter(subject_type="order", subject_id=row.id).order_by("version"))
            document = documents.order_document(row)
            assert [one.version for one in kept] == list(range(1, self.version + 1))
            assert (row.version, row.digest) == (self.version, documents.digest(document))
            assert kept[-1].document == document
            assert [one.digest for one in kept] == [documents.digest(one.document) for one in kept]
            assert {line["line_id"]: line for line in document["lines"]} == self.terms
            assert sum(Decimal(line["amount"]) for line in document["lines"]) == Decimal(document["total"])

        @invariant()
        def one_change_waits_exactly_while_the_order_is_being_amended(self) -> None:
            assert (self.row().state == "AMENDING") == (self.waiting is not None)
            assert OrderAmendment.objects.filter(state="PROPOSED").count() == (self.waiting is not None)

        def teardown(self) -> None:
            faults: Any = tracing.trace(office(cast.office), self.row().id)["verdict"]["faults"]
            transaction.set_rollback(True)
            self.undo.__exit__(None, None, None)
            assert faults == []

    return History


@pytest.mark.timeout(300)
def test_any_history_of_amendments_keeps_versions_digests_and_replay(cast: Cast, clerk: Phone, sales: Phone) -> None:
    run_state_machine_as_test(
        history(cast, clerk, sales),
        settings=settings(
            max_examples=8,
            stateful_step_count=8,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
