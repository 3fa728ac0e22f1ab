"""A phone in Python: holds a device key, signs in, and signs what it was shown, as miniprogram/ does. Used by tests and benchmarks."""

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from Crypto.Random import get_random_bytes

from backend.core.clock import rfc3339
from backend.core.ids import new_id
from backend.ledger import canonical, sign

Json = dict[str, Any]
Send = Callable[[str, str, Json | bytes | None, dict[str, str]], tuple[int, Json]]


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class Phone:
    """`send(method, path, body, headers) -> (status, answer)` is the wire: Django's test client, or a real HTTP client."""

    send: Send
    handset: str = ""
    seed: bytes = field(default_factory=lambda: get_random_bytes(32))
    token: str = ""
    session: Json = field(default_factory=dict)
    consent: str | None = None

    def headers(self, key: str | None = None) -> dict[str, str]:
        headers = {"Authorization": f"Token {self.token}"} if self.token else {}
        if self.handset:
            headers["X-Handset"] = self.handset
        return headers | ({"Idempotency-Key": key} if key else {})

    def get(self, path: str) -> tuple[int, Json]:
        return self.send("GET", path, None, self.headers())

    def post(self, path: str, body: Json, key: str | None = None) -> tuple[int, Json]:
        return self.send("POST", path, body, self.headers(key or str(new_id())))

    def sign_in_body(self, code: str) -> Json:
        proof = sign.sign(self.seed, f"yirong/session/v1\n{code}".encode())
        device = {
            "public_key": b64(sign.public_key(self.seed)),
            "proof": b64(proof),
            "model": "Test phone",
            "system": "Test 1",
        }
        device |= {"platform": "h5", "sdk_version": "3.0.0"}
        body = {"code": code, "device": device, "network_type": "wifi", "language": "zh-Hans"}
        return body | ({"handset": self.handset} if self.handset else {})

    def sign_in(self, code: str) -> tuple[int, Json]:
        status, answer = self.send("POST", "/api/v1/session/", self.sign_in_body(code), self.headers())
        if status == 201:
            self.token, self.session = answer["token"], answer["session"]
        return status, answer

    def agree_to_location(self) -> str:
        _, texts = self.get("/api/v1/consents/")
        text = next(one for one in texts["results"] if one["purpose"] == "location")
        body = {"purpose": "location", "text_id": text["text_id"], "text_version": text["text_version"], "given": True}
        status, answer = self.post("/api/v1/consents/", body)
        assert status == 201, answer
        self.consent = answer["id"]
        return answer["id"]

    def capture(self, place: tuple[str, str] | None = None, **changes: Any) -> Json:
        now = rfc3339(datetime.now(UTC))
        location = None
        if place:
            location = {
                "latitude": place[0],
                "longitude": place[1],
                "accuracy_m": 15,
                "datum": "wgs84",
                "precision_class": "precise",
                "age_s": 3,
            }
        return {
            "nonce": b64(secrets.token_bytes(32)),
            "captured_at": now,
            "network_type": "wifi",
            "location": location,
            "location_refused": location is None,
            "consent": self.consent if location else None,
            "photos": [],
            "drawing": None,
            "opened_at": rfc3339(datetime.now(UTC) - timedelta(seconds=20)),
            "handset": self.handset,
        } | changes

    def act(
        self,
        action: str,
        document: Json,
        order: Json,
        counterparty: str,
        lines: list[Json],
        total: Json,
        text_version: int,
        capture: Json,
    ) -> Json:
        """The body of a signed act; its Idempotency-Key is `signed.client_event_id`."""
        signed = {
            "action": action,
            "origin": self.session["origin"],
            "client_event_id": str(new_id()),
            "nonce": capture["nonce"],
            "signer_member": self.session["member"]["id"],
            "signer_party": self.session["organisation"]["uscc"],
            "device_key_id": self.session["device"]["id"],
            "document": {
                "id": document["id"],
                "type": document["type"],
                "version": document["version"],
                "digest": hashlib.sha256(canonical.dumps(document)).hexdigest(),
            },
            "order": order,
            "counterparty": counterparty,
            "lines": lines,
            "total": total,
            "capture_digest": hashlib.sha256(canonical.dumps(capture)).hexdigest(),
            "captured_at": capture["captured_at"],
            "language": "zh-Hans",
            "text_id": action,
            "text_version": text_version,
        }
        return self.sealed({"signed": signed, "capture": capture, "uploads": []})

    def sealed(self, body: Json) -> Json:
        """The body with the signature over what it says now."""
        return body | {"signature": b64(sign.sign(self.seed, sign.signed_bytes(body["signed"])))}

    def order_act(self, order: Json, action: str = "order.sign", capture: Json | None = None) -> Json:
        document = order["document"]
        other = document["seller" if action == "order.sign" else "buyer"]["uscc"]
        return self.act(
            action,
            document,
            {"buyer_uscc": document["buyer"]["uscc"], "order_no": document["order_no"], "version": document["version"]},
            other,
            [{"line_id": line["line_id"], "quantity": line["quantity"]} for line in document["lines"]],
            {"amount": document["total"], "currency": document["currency"]},
            1,
            capture or self.capture(),
        )

    def receipt_act(self, despatch: Json, counts: list[Json] | None = None, capture: Json | None = None) -> Json:
        lines = [line | count for line, count in zip(all_received(despatch), counts or [{}] * 99, strict=False)]
        total = sum(
            (
                (Decimal(line["accepted_quantity"]) * Decimal(shown["unit_price"])).quantize(
                    Decimal("0.01"), ROUND_HALF_UP
                )
                for line, shown in zip(lines, despatch["lines"], strict=True)
            ),
            Decimal(0),
        )
        return self.act(
            "receipt.sign",
            despatch["document"],
            despatch["document"]["order"],
            despatch["order"]["seller"]["uscc"],
            lines,
            {"amount": f"{total:.2f}", "currency": despatch["currency"]},
            1,
            capture or self.capture(),
        )

    def sign(self, path: str, act: Json) -> tuple[int, Json]:
        return self.post(path, act, act["signed"]["client_event_id"])


def all_received(despatch: Json) -> list[Json]:
    """The counts when everything that was despatched arrived in order."""
    return [
        {
            "despatch_line": line["despatch_line"],
            "received_quantity": line["quantity"],
            "accepted_quantity": line["quantity"],
            "short_quantity": "0.000",
            "rejected_quantity": "0.000",
            "reject_reason": "",
            "oversupply_quantity": "0.000",
        }
        for line in despatch["lines"]
    ]
