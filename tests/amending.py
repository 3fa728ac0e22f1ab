"""How a phone builds an amendment: the order as it will be, made from the order as it is shown."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.phone import Json, Phone

TERMS = ("line_id", "item_code", "item_name", "quantity", "unit", "unit_price", "tax_rate", "tolerance_pct")


def amended(order: Json, changes: dict[str, Json], *added: Json) -> Json:
    """The order's next version: lines by number with what changes, and added ones."""
    document = order["document"]
    lines = [line | changes.get(line["line_id"], {}) for line in document["lines"]] + list(added)
    for line in lines:
        line["quantity"] = f"{Decimal(line['quantity']):.3f}"
        exact = Decimal(line["quantity"]) * Decimal(line["unit_price"])
        line["amount"] = f"{exact.quantize(Decimal('0.01'), ROUND_HALF_UP):.2f}"
    total = sum(Decimal(line["amount"]) for line in lines)
    return document | {"version": document["version"] + 1, "lines": lines, "total": f"{total:.2f}"}


def order_act(phone: Phone, action: str, order: Json, document: Json) -> Json:
    """An act of either side over a version of an order, on top of the order as it is."""
    own = phone.session["organisation"]["uscc"]
    other = next(document[side]["uscc"] for side in ("buyer", "seller") if document[side]["uscc"] != own)
    present = order["document"]
    return phone.act(
        action,
        document,
        {"buyer_uscc": present["buyer"]["uscc"], "order_no": present["order_no"], "version": present["version"]},
        other,
        [{"line_id": line["line_id"], "quantity": line["quantity"]} for line in document["lines"]],
        {"amount": document["total"], "currency": document["currency"]},
        1,
        phone.capture(),
    )


def proposal(phone: Phone, order: Json, changes: dict[str, Json], *added: Json, **more: Any) -> Json:
    """The body of POST /orders/{id}/amendments: a change of lines."""
    document = amended(order, changes, *added)
    body = {
        "kind": "AMEND",
        "reason": "less than planned",
        "lines": [{name: line[name] for name in TERMS} for line in document["lines"]],
    }
    return order_act(phone, "amendment.propose", order, document) | body | more


def cancellation(phone: Phone, order: Json, reason: str = "no longer needed") -> Json:
    """The body of POST /orders/{id}/amendments: the order's cancellation."""
    body = {"kind": "CANCEL", "reason": reason, "lines": []}
    return order_act(phone, "cancellation.propose", order, order["document"]) | body


def propose(phone: Phone, order: Json, changes: dict[str, Json], *added: Json) -> Json:
    """Proposes it, and expects that it is taken."""
    status, answer = phone.sign(f"/api/v1/orders/{order['id']}/amendments", proposal(phone, order, changes, *added))
    assert status == 201, answer
    return answer


def agree(phone: Phone, amendment: Json) -> tuple[int, Json]:
    """Signs what the other side proposed, as it is shown to this one."""
    order = phone.get(f"/api/v1/orders/{amendment['order']['id']}/")[1]
    shown = phone.get(f"/api/v1/amendments/{amendment['id']}/")[1]
    action = "cancellation.agree" if shown["kind"] == "CANCEL" else "amendment.agree"
    act = order_act(phone, action, order, shown["document"])
    return phone.sign(f"/api/v1/amendments/{amendment['id']}/agreement", act)
