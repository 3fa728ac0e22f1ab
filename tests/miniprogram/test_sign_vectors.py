"""What the phone signs is what the server rebuilds: the shared vectors, written by the phone's own signer, reproduced in Python."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from backend.ledger import canonical, sign

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent.parent / "vectors" / "sign.json").read_text("utf-8"))
ACT = VECTORS["act"]


def b64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_the_public_key_belongs_to_the_seed() -> None:
    assert sign.public_key(b64(VECTORS["seed"])) == b64(VECTORS["public_key"])


@pytest.mark.parametrize("case", VECTORS["canonical"], ids=lambda case: case["jcs"][:24])
def test_canonical_json_is_the_same_on_phone_and_server(case: dict[str, Any]) -> None:
    assert canonical.dumps(case["value"]) == case["jcs"].encode()
    assert sha256(case["jcs"].encode()) == case["sha256"]


def test_the_digest_of_the_document_is_the_one_that_is_signed() -> None:
    digest = sha256(canonical.dumps(VECTORS["document"]["value"]))
    assert digest == VECTORS["document"]["sha256"] == ACT["signed"]["document"]["digest"]


def test_the_capture_is_signed_by_its_digest() -> None:
    assert sha256(canonical.dumps(ACT["capture"])) == ACT["capture_sha256"] == ACT["signed"]["capture_digest"]


def test_the_server_rebuilds_the_signed_bytes_and_the_signature_verifies() -> None:
    message = sign.signed_bytes(ACT["signed"])
    assert message == b"yirong/sign/v1\n" + ACT["jcs"].encode()
    assert sha256(message) == ACT["signed_sha256"]
    assert sign.verify(b64(VECTORS["public_key"]), message, b64(ACT["signature"]))


def test_the_signature_does_not_verify_over_another_quantity() -> None:
    lines = [{**ACT["signed"]["lines"][0], "accepted_quantity": "1181.000"}]
    message = sign.signed_bytes({**ACT["signed"], "lines": lines})
    assert not sign.verify(b64(VECTORS["public_key"]), message, b64(ACT["signature"]))


def test_the_proof_of_the_device_key_covers_the_login_code() -> None:
    session = VECTORS["session"]
    message = b"yirong/session/v1\n" + session["code"].encode()
    assert sign.verify(b64(VECTORS["public_key"]), message, b64(session["signature"]))
