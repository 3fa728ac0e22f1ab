"""Back-to-back: the buyer orders from the seller, the seller from a factory that delivers to the buyer."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from backend.core.ids import from_typeid, typed
from backend.parties.models import Member, Organisation
from backend.trade import services
from backend.trade.models import PurchaseOrder
from tests.cast import AT_GATE, Cast, confirmed_order, member, office, organisation, phone_of
from tests.phone import Json, Phone

LINE = {"item_code": "", "unit": "EA", "tax_rate": "0.13", "tolerance_pct": "0"}
FAR = (Decimal("30.2741000"), Decimal("120.1551000"))


@dataclass
class Chain:
    """Order A of the buyer, order B of the seller that fulfils A's first line, and the factory's phone."""

    upper: Json
    lower: Json
    factory: Organisation
    worker: Member
    phone: Phone


def agreed(buyer: Phone, seller: Phone, order_id: Any) -> Json:
    path = f"/api/v1/orders/{typed('order', order_id)}"
    status, answer = buyer.sign(f"{path}/signature", buyer.order_act(buyer.get(f"{path}/")[1]))
    assert status == 201, answer
    status, answer = seller.sign(f"{path}/confirmation", seller.order_act(seller.get(f"{path}/")[1], "order.confirm"))
    assert status == 201, answer
    return answer


def bought(by: Member, of: Organisation, upper: Json, number: str = "B-1", **changes: Any) -> PurchaseOrder:
    """An order for line 1 of the order above: 2,000 cookers at 120.00, to the seller's own far warehouse."""
    terms: dict[str, Any] = {
        "line_id": "9",
        "item_name": "OEM 4L cooker",
        "quantity": Decimal("2000"),
        "unit_price": "120.00",
        "fulfils": (from_typeid("ord", upper["id"]), "1"),
    }
    line = services.LineTerms(**(LINE | terms | changes))
    return services.issue_order(
        by=office(by),
        order_no=number,
        buyer=by.organisation_id,
        seller=of.id,
        lines=[line],
        ship_to=services.ShipTo("Far store", "9 Far Road", *FAR, 300),
        payment_days=30,
        payment_from="receipt",
    )


def make_chain(cast: Cast, clerk: Phone, sales: Phone) -> Chain:
    """Both orders, signed and confirmed; nothing sent off."""
    upper = confirmed_order(cast, clerk, sales)
    factory = organisation("91310115MA1TEXTF7", "Factory", "FACTORY")
    worker = member(factory, "Worker", "maker", "signer")
    phone = phone_of(worker)
    lower = agreed(sales, phone, bought(cast.sales, factory, upper).id)
    return Chain(upper, lower, factory, worker, phone)


def send(
    phone: Phone, lower: Json, upper: Json | None, number: str = "F-1", quantity: str = "1200", **more: Any
) -> Any:
    line = lower["document"]["lines"][0]["line_id"]
    body = {"order": lower["id"], "despatch_no": number, "lines": [{"order_line": line, "quantity": quantity}]}
    return phone.post("/api/v1/despatches/", body | {"end_order": upper and upper["id"]} | more)


def carried(cast: Cast) -> Json:
    return {"carrier": typed("organisation", cast.carrier.id), "driver": typed("member", cast.driver.id)}


def receive(clerk: Phone, despatch: str, counts: list[Json] | None = None) -> tuple[int, Json]:
    shown = clerk.get(f"/api/v1/despatches/{despatch}/")[1]
    return clerk.sign("/api/v1/receipts/", clerk.receipt_act(shown, counts, clerk.capture(AT_GATE)))


def states(*orders: Json) -> list[str]:
    known = dict(PurchaseOrder.objects.values_list("id", "state"))
    return [known[from_typeid("ord", order["id"])] for order in orders]
