"""Signing in on a phone: WeChat says who, the device's key says on what."""

import base64
import binascii
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import transaction

from backend.core import clock
from backend.core.events import emit
from backend.core.sections import Section
from backend.ledger import sign
from backend.ledger.errors import KeyInvalid
from backend.parties import events, wechat
from backend.parties.errors import DeviceKeyInvalid, DeviceProofInvalid, DeviceRevoked, NotEnrolled
from backend.parties.models import Device, Invitation, Member, Person, Session
from backend.parties.origins import Origin
from backend.parties.selectors import choose_member
from backend.parties.services import lockout
from backend.parties.services.attempts import Attempt, counted, record_opened
from backend.parties.services.invitations import accept_invitation, find_invitation

PROOF_PREFIX = "yirong/session/v1\n"
ASSURANCE = "L2"


@dataclass(frozen=True)
class DeviceClaim:
    """What a phone says of itself. `public_key` and `proof` are base64url without padding: 32 bytes, and an Ed25519 signature over
    "yirong/session/v1" LF code."""

    public_key: str
    proof: str
    model: str = ""
    system: str = ""
    platform: str = "h5"
    sdk_version: str = ""


@dataclass(frozen=True)
class SignedIn:
    """The session and its token, which is shown once and kept nowhere."""

    session: Session
    token: str


def sign_in(
    *,
    code: str,
    device: DeviceClaim,
    origin: Origin,
    member: UUID | None = None,
    language: str = "zh-Hans",
    invitation: str = "",
    exchange: wechat.Exchange = wechat.exchange_code,
) -> SignedIn:
    """Opens a session for whoever WeChat knows by `code`, on the device that proves to hold its key; a new device is registered.

    `member`: the membership to act as, else the oldest active one. `invitation`: a code that makes whoever signs in a member first, be they
    known or not; they then act as that member. Every try leaves a login record. Raises LockedOut, DeviceKeyInvalid, DeviceProofInvalid,
    DeviceRevoked, what wechat.exchange_code raises, NotEnrolled, MemberForeign, InvitationInvalid, AlreadyMember.
    """
    key = _decoded(device.public_key)
    attempt = Attempt(
        channel="phone",
        source=lockout.source_of("phone", origin.ip, key.hex()),
        origin=origin,
        model=device.model,
        system=device.system,
        platform=device.platform,
        sdk_version=device.sdk_version,
    )
    with counted(attempt):
        _check_possession(key, device.proof, code)
        attempt.device = Device.objects.filter(public_key=key).first()
        if attempt.device and attempt.device.revoked_at:
            raise DeviceRevoked()
        openid = exchange(code).openid
        attempt.person = Person.objects.filter(openid=openid).first()
        if invitation:
            return _join(attempt, key, language, find_invitation(invitation), openid)
        if attempt.person is None:
            raise NotEnrolled()
        attempt.member = choose_member(attempt.person, member)
        return _open(attempt, key, language)


def _join(attempt: Attempt, key: bytes, language: str, invitation: Invitation, openid: str) -> SignedIn:
    """Membership and session in one transaction. What a refusal rolls back must not stand in the record of the try: hence the copy."""
    with transaction.atomic():
        person = attempt.person or _person_of(openid, invitation, language)
        member = accept_invitation(by=attempt.actor(ASSURANCE), invitation=invitation, person=person)
        return _open(replace(attempt, person=person, member=member), key, language)


def _person_of(openid: str, invitation: Invitation, language: str) -> Person:
    """The person WeChat knows, named as invited. Of two first sign-ins at a time one makes them."""
    made = Person(openid=openid, name=invitation.name, name_en=invitation.name_en, language=language)
    made.set_unusable_password()
    Person.objects.bulk_create([made], ignore_conflicts=True)
    return Person.objects.get(openid=openid)


def _decoded(public_key: str) -> bytes:
    """The bytes of a key; b"" for what is none: such tries of one address count together."""
    try:
        key = base64.b64decode(public_key + "=" * (-len(public_key) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return b""
    return key if len(key) == sign.KEY_SIZE else b""


def _check_possession(key: bytes, proof: str, code: str) -> None:
    try:
        sign.check_public_key(key)
    except KeyInvalid as error:
        detail = "32 bytes of base64url were expected." if not key else f"Not a safe Ed25519 key: {error}."
        raise DeviceKeyInvalid(detail, field="device.public_key") from None
    try:
        signature = base64.b64decode(proof + "=" * (-len(proof) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        signature = b""
    if not sign.verify(key, (PROOF_PREFIX + code).encode(), signature):
        raise DeviceProofInvalid(field="device.proof")


def _open(attempt: Attempt, key: bytes, language: str) -> SignedIn:
    """The rows of a session, in one transaction. The updates that change nothing hold member and device: a revocation that runs now either
    came first and is seen here, or comes after and ends this session too."""
    person, member = attempt.person, attempt.member
    assert person and member
    with transaction.atomic():
        if not Member.objects.filter(id=member.id, active=True).update(active=True):
            raise NotEnrolled()
        device, new = _registered(attempt, key, member)
        if not Device.objects.filter(id=device.id, revoked_at=None).update(revoked_at=None):
            raise DeviceRevoked()
        attempt.device = device
        if person.language != language:
            Person.objects.filter(id=person.id).update(language=language)
            person.language = language
        session, token = Session.objects.create(
            user=person, member=member, device=device, handset=attempt.origin.handset
        )
        if new:
            _tell_registered(attempt, device)
        record_opened(attempt, session=session, assurance=ASSURANCE, new_device=new)
    return SignedIn(session=session, token=token)


def _registered(attempt: Attempt, key: bytes, member: Member) -> tuple[Device, bool]:
    """The device of a key, and whether it is new. Of two first sign-ins at a time one makes it."""
    if attempt.device:
        return attempt.device, False
    made = Device(
        public_key=key,
        model=attempt.model,
        system=attempt.system,
        platform=attempt.platform,
        sdk_version=attempt.sdk_version,
        registered_at=clock.now(),
        registered_by=member,
    )
    Device.objects.bulk_create([made], ignore_conflicts=True)
    device = Device.objects.get(public_key=key)
    return device, device.id == made.id


def _tell_registered(attempt: Attempt, device: Device) -> None:
    assert attempt.person and attempt.member
    facts = {
        "public_key": base64.urlsafe_b64encode(bytes(device.public_key)).rstrip(b"=").decode(),
        "model": device.model,
        "system": device.system,
        "platform": device.platform,
        "sdk_version": device.sdk_version,
    }
    emit(
        type=events.DEVICE_REGISTERED,
        chain="supply",
        subject=("device", device.id),
        by=attempt.actor(ASSURANCE),
        sections={"act": Section(facts, person=attempt.person.id, purpose="device")},
        audience=[attempt.member.id],
        payload={
            "device": str(device.id),
            "person": str(attempt.person.id),
            "member": str(attempt.member.id),
            "organisation": str(attempt.member.organisation_id),
        },
    )
