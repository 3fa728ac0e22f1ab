"""What a person signs, rebuilt by the server from its own rows and compared field by field before the signature is checked.

"yirong/sign/v1" LF || JCS({action, origin, client_event_id, nonce, signer_member, signer_party, device_key_id,
    document: {id, type, version, digest}, order: {buyer_uscc, order_no, version}, counterparty, lines, total,
    capture_digest, captured_at, language, text_id, text_version})
"""

import base64
import binascii
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from backend.core import clock
from backend.core.events import Actor
from backend.core.ids import typed
from backend.core.sections import Section
from backend.evidence.models import VoucherKind
from backend.evidence.selectors import ledger_origin
from backend.ledger import canonical, sign
from backend.parties.errors import DeviceRevoked
from backend.parties.models import Device, Member
from backend.trade import documents, errors, texts
from backend.trade.models import PurchaseOrder

CLOCK_SKEW = timedelta(minutes=10)
LANGUAGES = ("zh-Hans", "en")
NONCE_BYTES = 32


@dataclass(frozen=True)
class SentFile:
    """An uploaded file that belongs to an act: which upload, as what kind of voucher, with which digest."""

    upload: UUID
    kind: str
    sha256: str


@dataclass(frozen=True)
class SignedAct:
    """An act as the phone sent it: the object that was signed, the capture beside it, the files, the signature; a milestone has a `kind` instead."""

    signed: dict[str, Any]
    capture: dict[str, Any]
    files: tuple[SentFile, ...]
    signature: str
    kind: str = ""

    @property
    def captured_at(self) -> datetime:
        """The phone's clock at the act."""
        return datetime.fromisoformat(self.capture["captured_at"])


def decode(text: str, length: int, field: str) -> bytes:
    """base64url without padding of exactly `length` bytes; SignatureInvalid naming the field otherwise."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != length or base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        raise errors.SignatureInvalid(f"{field} is not {length} bytes in base64url without padding.", field=field)
    return raw


def acting_device(by: Actor) -> Device:
    """The device that acts. Raises SignInWithPhone at the console, which has none; DeviceRevoked, also when that came after the sign-in was
    looked at."""
    if by.device is None:
        raise errors.SignInWithPhone()
    device = Device.objects.get(id=by.device)
    if device.revoked_at:
        raise DeviceRevoked()
    return device


def check_times(act: SignedAct) -> None:
    """The phone's clock may run ahead ten minutes; an act waits on a phone for seven days at most."""
    now = clock.now()
    if act.captured_at > now + CLOCK_SKEW:
        raise errors.CapturedInFuture(field="capture.captured_at")
    if act.captured_at < now - clock.ACT_MAY_WAIT:
        raise errors.CapturedTooLongAgo(field="capture.captured_at")


def check_act(
    act: SignedAct,
    *,
    by: Actor,
    member: Member,
    device: Device,
    client_event_id: str,
    action: str,
    document: documents.Document,
    order: PurchaseOrder,
    counterparty_uscc: str,
    lines: list[dict[str, str]],
    total: dict[str, str],
    order_version: int | None = None,
) -> Section:
    """Verifies an act against what the server knows; the `signature` section to keep with the event. `order_version`: unless the present one.

    Raises DeviceMismatch, DocumentChanged, SignedDifference (each field that differs), SignatureInvalid, CapturedInFuture,
    CapturedTooLongAgo, CaptureIncomplete. A signature is checked over the server's bytes, never over the client's.
    """
    decode(act.capture["nonce"], NONCE_BYTES, "capture.nonce")
    text = texts.CURRENT[action]
    expected = {
        "action": action,
        "origin": ledger_origin("supply"),
        "client_event_id": client_event_id,
        "nonce": act.capture["nonce"],
        "signer_member": typed("member", member.id),
        "signer_party": member.organisation.uscc,
        "device_key_id": typed("device", device.id),
        "document": {
            "id": document["id"],
            "type": document["type"],
            "version": document["version"],
            "digest": documents.digest(document),
        },
        "order": documents.order_key(order, order_version),
        "counterparty": counterparty_uscc,
        "lines": lines,
        "total": total,
        "capture_digest": hashlib.sha256(canonical.dumps(act.capture)).hexdigest(),
        "captured_at": act.capture["captured_at"],
        "language": act.signed.get("language") if act.signed.get("language") in LANGUAGES else LANGUAGES[0],
        "text_id": text.text_id,
        "text_version": text.version,
    }
    _compare(expected, act.signed)
    check_times(act)
    message = sign.signed_bytes(expected)
    if not sign.verify(bytes(device.public_key), message, decode(act.signature, 64, "signature")):
        raise errors.SignatureInvalid(field="signature")
    _check_files(act)
    return Section(
        {
            "signed": expected,
            "signature": act.signature,
            "public_key": base64.urlsafe_b64encode(bytes(device.public_key)).rstrip(b"=").decode(),
        },
        person=by.person,
        purpose="signature",
        scope=document["id"],
    )


def _compare(expected: dict[str, Any], signed: dict[str, Any]) -> None:
    differing = list(differences(expected, signed, "signed"))
    if not differing:
        return
    if "signed.device_key_id" in differing:
        raise errors.DeviceMismatch(field="signed.device_key_id")
    if any(
        field in ("signed.document.version", "signed.document.digest", "signed.order.version") for field in differing
    ):
        raise errors.DocumentChanged(
            field=next(field for field in differing if field.startswith(("signed.document", "signed.order")))
        )
    raise errors.SignedDifference(
        f"{len(differing)} field(s) differ from the server's own rows, first {differing[0]}.",
        errors=[
            {"field": field, "code": "differs", "detail": "Not what the server knows."} for field in differing[:50]
        ],
    )


def differences(expected: Any, given: Any, path: str) -> Iterator[str]:
    """The paths at which two JSON values differ, in value or in type."""
    if isinstance(expected, dict) and isinstance(given, dict):
        for key in sorted(expected.keys() | given.keys()):
            if key in expected and key in given:
                yield from differences(expected[key], given[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"
    elif isinstance(expected, list) and isinstance(given, list) and len(expected) == len(given):
        for number, (left, right) in enumerate(zip(expected, given, strict=True)):
            yield from differences(left, right, f"{path}.{number}")
    elif type(expected) is not type(given) or expected != given:
        yield path


def _check_files(act: SignedAct) -> None:
    """The files sent are the photographs and the drawing whose digests stand in the signed capture: none missing, none more, none as another."""
    drawing = act.capture["drawing"]
    said = [(digest, VoucherKind.PHOTO) for digest in act.capture["photos"]]
    said += [(drawing, VoucherKind.SIGNATURE)] if drawing else []
    if sorted(said) != sorted((file.sha256, file.kind) for file in act.files):
        raise errors.CaptureIncomplete(field="uploads")
