"""The main story over HTTP: an order is issued, signed, confirmed, sent off and received, by people with real device keys."""

from functools import cached_property
from itertools import count

from tests.phone import Json, Phone
from tests.stack import Product


class Story:
    """The demonstration's clerk and seller, and the steps of their trade."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self._numbers = count(1)

    @cached_property
    def clerk(self) -> Phone:
        return self.product.phone("chen-li")

    @cached_property
    def seller(self) -> Phone:
        return self.product.phone("su-qing")

    def issued(self) -> Json:
        """An order like the demonstration's first, issued by the seller on the buyer's behalf."""
        _, orders = self.seller.get("/api/v1/orders/")
        _, first = self.seller.get(f"/api/v1/orders/{orders['results'][-1]['id']}/")
        document = first["document"]
        body = {name: document[name] for name in ("currency", "ship_to", "payment_terms", "contract_no")}
        body |= {
            "order_no": f"PO-FLOW-{next(self._numbers)}",
            "buyer": self.clerk.session["organisation"]["id"],
            "seller": self.seller.session["organisation"]["id"],
            "lines": [{name: value for name, value in line.items() if name != "amount"} for line in document["lines"]],
        }
        status, order = self.seller.post("/api/v1/orders/", body)
        assert status == 201, order
        return order

    def signed(self, order: Json) -> Json:
        _, shown = self.clerk.get(f"/api/v1/orders/{order['id']}/")
        status, answer = self.clerk.sign(f"/api/v1/orders/{order['id']}/signature", self.clerk.order_act(shown))
        assert status == 201, answer
        return answer

    def confirmed(self, order: Json) -> Json:
        _, shown = self.seller.get(f"/api/v1/orders/{order['id']}/")
        act = self.seller.order_act(shown, "order.confirm")
        status, answer = self.seller.sign(f"/api/v1/orders/{order['id']}/confirmation", act)
        assert status == 201, answer
        return answer

    def sent_off(self, order: Json) -> Json:
        lines = [{"order_line": line["line_id"], "quantity": line["quantity"]} for line in order["document"]["lines"]]
        body = {"order": order["id"], "despatch_no": f"DN-{order['document']['order_no']}", "lines": lines}
        status, despatch = self.seller.post("/api/v1/despatches/", body | {"plate_no": "沪A12345"})
        assert status == 201, despatch
        return despatch

    def delivery(self) -> Json:
        """A despatch on its way to the buyer, as the clerk sees it."""
        order = self.issued()
        self.signed(order)
        return self.shown(self.sent_off(self.confirmed(order)))

    def shown(self, despatch: Json) -> Json:
        return self.clerk.get(f"/api/v1/despatches/{despatch['id']}/")[1]

    def received(self, despatch: Json, at: str = "chen-li", phone: Phone | None = None) -> Json:
        """The receipt, signed where that handset stands."""
        phone = phone or self.clerk
        act = phone.receipt_act(despatch, capture=phone.capture(self.product.place(at)))
        status, receipt = phone.sign("/api/v1/receipts/", act)
        assert status == 201, receipt
        return receipt
