"""A phone that signs in: Django's test client with a device key."""

import base64
from typing import Any

from Crypto.Random import get_random_bytes
from django.http import HttpResponse
from django.test import Client

from backend.ledger import sign

SESSION = "/api/v1/session/"


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class PhoneClient:
    def __init__(self, client: Client) -> None:
        self.client = client
        self.seed = get_random_bytes(32)
        self.token = ""

    @property
    def key(self) -> bytes:
        return sign.public_key(self.seed)

    def body(self, code: str, **changes: Any) -> dict[str, Any]:
        """What the phone sends to sign in; `device` merges into the device's claims."""
        device = {
            "public_key": b64(self.key),
            "proof": b64(sign.sign(self.seed, f"yirong/session/v1\n{code}".encode())),
            "model": "Phone 7",
            "system": "Android 15",
            "platform": "mp-weixin",
            "sdk_version": "3.5.1",
        }
        device |= changes.pop("device", {})
        return {"code": code, "device": device, "network_type": "4g", "language": "zh-Hans", **changes}

    def sign_in(self, code: str, **changes: Any) -> HttpResponse:
        headers = changes.pop("headers", {})
        answer = self.client.post(SESSION, self.body(code, **changes), content_type="application/json", headers=headers)
        if answer.status_code == 201:
            self.token = answer.json()["token"]
        return answer

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        send = getattr(self.client, method)
        authorization = {"Authorization": f"Token {self.token}"} | headers
        return send(path, body, content_type="application/json", headers=authorization)
