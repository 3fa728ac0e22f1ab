"""The cast's story in full: an order signed and confirmed, despatched, received 12 km away, its photo a voucher, its alert raised."""

import hashlib
import io
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from PIL import Image

from backend.core.clock import now
from backend.core.ids import typed
from backend.parties import services
from backend.parties.models import Device
from tests.amending import propose
from tests.cast import TWELVE_KM_AWAY, Cast, confirmed_order, despatched, make_cast, office, phone_of
from tests.phone import Json, Phone


@dataclass
class Story:
    """The documents that exist, as wire ids, and the phones of the people who made them."""

    cast: Cast
    clerk: Phone
    sales: Phone
    driver: Phone
    officer: Phone
    stranger: Phone
    order: Json
    despatch: str
    underway: str
    receipt: str
    amendment: str
    production: str
    voucher: str
    upload: str
    alert: str
    event: str
    people: dict[str, str]

    @property
    def ids(self) -> dict[str, str]:
        """The parameters of the API's paths, each with one that exists."""
        return {
            "order": self.order["id"],
            "despatch": self.underway,
            "receipt": self.receipt,
            "amendment": self.amendment,
            "production": self.production,
            "voucher_id": self.voucher,
            "upload_id": self.upload,
            "alert": self.alert,
            "event_id": self.event,
            "buyer_uscc": self.cast.buyer.uscc,
            "order_no": self.order["document"]["order_no"],
            **self.people,
        }


def photograph() -> bytes:
    """A small JPEG that no other has the digest of."""
    file = io.BytesIO()
    Image.frombytes("RGB", (16, 16), secrets.token_bytes(768)).save(file, "JPEG")
    return file.getvalue()


def uploaded(phone: Phone, content: bytes) -> str:
    """The id of an upload that arrived in full."""
    body = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "filename": "photo.jpg"}
    status, upload = phone.post("/api/v1/uploads/", body | {"mime": "image/jpeg", "source": "camera"})
    assert status == 201, upload
    status, answer = phone.send("PUT", f"/api/v1/uploads/{upload['id']}/parts/0", content, phone.headers())
    assert status == 200, answer
    return str(upload["id"])


@pytest.fixture
def story(drain: Callable[[], None]) -> Story:
    cast = make_cast()
    clerk, sales, driver = phone_of(cast.clerk), phone_of(cast.sales), phone_of(cast.driver)
    officer, stranger = phone_of(cast.risk), phone_of(cast.stranger)
    order = confirmed_order(cast, clerk, sales)
    first, rest = order["document"]["lines"][:1], order["document"]["lines"][1:]
    amendment = propose(sales, order, {"1": {"quantity": "1300"}})
    status, answer = sales.post(f"/api/v1/amendments/{amendment['id']}/withdrawal", {})
    assert status == 201, answer
    lot = {"order": order["id"], "order_line": "1", "production_no": "MO-1", "lot": "L-1", "planned_quantity": "5"}
    status, production = sales.post("/api/v1/productions/", lot)
    assert status == 201, production
    delivery = despatched(
        cast, order, sales, lines=[{"order_line": line["line_id"], "quantity": line["quantity"]} for line in first]
    )
    underway = despatched(
        cast, order, sales, "DN-2", lines=[{"order_line": line["line_id"], "quantity": "1.000"} for line in rest]
    )
    status, receipt = clerk.sign(
        "/api/v1/receipts/", clerk.receipt_act(delivery, capture=clerk.capture(TWELVE_KM_AWAY))
    )
    assert status == 201, receipt
    photo = uploaded(sales, photograph())
    status, voucher = sales.post("/api/v1/vouchers/", {"upload": photo, "kind": "photo", "subject": receipt["id"]})
    assert status == 201, voucher
    drain()
    _, alerts = officer.get("/api/v1/alerts/")
    return Story(
        cast=cast,
        clerk=clerk,
        sales=sales,
        driver=driver,
        officer=officer,
        stranger=stranger,
        order=order,
        despatch=delivery["id"],
        underway=underway["id"],
        receipt=receipt["id"],
        amendment=amendment["id"],
        production=production["id"],
        voucher=voucher["id"],
        upload=photo,
        alert=alerts["results"][0]["id"],
        event=receipt["anchor"]["event"],
        people=_people(cast),
    )


def _people(cast: Cast) -> dict[str, str]:
    """The buyer's, as wire ids: an invitation, a delegation, a member, a handset."""
    by = office(cast.office)
    soon = {"valid_from": now(), "valid_to": now() + timedelta(days=1)}
    delegation = services.grant_delegation(
        by=by, to_member=cast.clerk.id, doc_types=["order"], max_amount_fen=100, **soon
    )
    return {
        "organisation": typed("organisation", cast.buyer.id),
        "member": typed("member", cast.clerk.id),
        "invitation": typed("invitation", services.invite(by=by, name="New", roles=["viewer"]).invitation.id),
        "delegation": typed("delegation", delegation.id),
        "device": typed("device", Device.objects.get(registered_by=cast.clerk).id),
    }
