"""Organisations, who they were found to be, and their places."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from stdnum.cn import uscc as social_credit_code
from stdnum.exceptions import ValidationError

from backend.core import clock
from backend.core.errors import Forbidden, Malformed
from backend.core.events import SYSTEM, Actor, emit
from backend.core.ids import typed
from backend.core.sections import Section
from backend.parties import events
from backend.parties.errors import AlreadyVerified, NotVerified, UsccInvalid, VerifiedBefore
from backend.parties.models import (
    Organisation,
    OrganisationKind,
    OrganisationVerification,
    Site,
    Verification,
    VerificationMethod,
)
from backend.parties.services.authority import lock_organisation, operator


@transaction.atomic
def create_organisation(*, uscc: str, name: str, kind: str, name_en: str = "", by: Actor = SYSTEM) -> Organisation:
    """An organisation that claims a unified social credit code (GB 32100-2015: 18 characters, the last a check digit).

    It is CLAIMED until the operator verifies it. Raises Forbidden, UsccInvalid, Malformed.
    """
    operator(by)
    try:
        checked = social_credit_code.validate(uscc)
    except ValidationError:
        raise UsccInvalid(
            f"“{uscc}” is not one: 18 characters with a check digit were expected.", field="uscc"
        ) from None
    if kind not in OrganisationKind.values:
        raise Malformed("Not a kind of organisation.", field="kind")
    organisation = Organisation.objects.create(uscc=checked, name=name, name_en=name_en, kind=kind)
    facts = {
        "id": typed("organisation", organisation.id),
        "uscc": checked,
        "name": name,
        "name_en": name_en,
        "kind": kind,
    }
    _tell(("organisation", organisation.id), organisation.id, by, facts, type_=events.ORGANISATION_CREATED)
    return organisation


@transaction.atomic
def verify_organisation(
    *, by: Actor, organisation: Organisation, method: str, reference: str = ""
) -> OrganisationVerification:
    """Records that the organisation is who it claims to be, how that was found, and by whom: a member of the operator, never a counterparty.

    `reference`: where the proof lies (the transfer's number, the seal certificate's serial number). Raises Forbidden, Malformed,
    VerifiedBefore, and AlreadyVerified when another one is verified under the same code.
    """
    member = operator(by)
    if method not in VerificationMethod.values:
        raise Malformed("Not a way to verify an organisation.", field="method")
    if lock_organisation(organisation.id).verification == Verification.VERIFIED:
        raise VerifiedBefore()
    try:
        with transaction.atomic():
            Organisation.objects.filter(id=organisation.id).update(
                verification=Verification.VERIFIED, verified_method=method, verified_by=member
            )
    except IntegrityError:
        raise AlreadyVerified() from None
    row = OrganisationVerification.objects.create(
        organisation=organisation, method=method, reference=reference, verified_by=member
    )
    organisation.refresh_from_db()
    _tell(
        ("verification", row.id), row.organisation_id, by, verification_facts(row), type_=events.ORGANISATION_VERIFIED
    )
    return row


@transaction.atomic
def unverify_organisation(*, by: Actor, organisation: Organisation, reason: str) -> OrganisationVerification:
    """Takes a verification back, and says why: from now on the organisation is CLAIMED. Raises Forbidden (also for the operator's own, which
    would leave nobody to verify anybody), Malformed, NotVerified."""
    member = operator(by)
    if member and member.organisation_id == organisation.id:
        raise Forbidden("Nobody decides about their own organisation.")
    if not reason.strip():
        raise Malformed("Say why.", field="reason")
    if lock_organisation(organisation.id).verification != Verification.VERIFIED:
        raise NotVerified()
    Organisation.objects.filter(id=organisation.id).update(
        verification=Verification.CLAIMED, verified_method="", verified_by=None
    )
    row = organisation.verifications.get(revoked_at=None)
    row.revoked_by, row.revoked_at, row.reason = member, clock.now(), reason.strip()
    row.save(update_fields=["revoked_by", "revoked_at", "reason"])
    organisation.refresh_from_db()
    _tell(
        ("verification", row.id), row.organisation_id, by, verification_facts(row), type_=events.ORGANISATION_UNVERIFIED
    )
    return row


def verification_facts(row: OrganisationVerification) -> dict[str, Any]:
    """What the chain commits to of a verification, given or taken back."""
    return {
        "id": typed("verification", row.id),
        "organisation": typed("organisation", row.organisation_id),
        "level": (Verification.CLAIMED if row.revoked_at else Verification.VERIFIED).value,
        "method": row.method,
        "reference": row.reference,
        "verified_by": row.verified_by_id and typed("member", row.verified_by_id),
        "verified_at": clock.rfc3339(row.verified_at),
        "revoked_by": row.revoked_by_id and typed("member", row.revoked_by_id),
        "revoked_at": row.revoked_at and clock.rfc3339(row.revoked_at),
        "reason": row.reason,
    }


def _tell(subject: tuple[str, UUID], organisation: UUID, by: Actor, facts: dict[str, Any], *, type_: str) -> None:
    emit(
        type=type_,
        chain="supply",
        subject=subject,
        by=by,
        sections={"act": Section(facts)},
        audience=[organisation, *([by.organisation] if by.organisation else [])],
        payload={"organisation": str(organisation), subject[0]: str(subject[1])},
    )


def add_site(
    *,
    organisation: Organisation,
    name: str,
    address: str,
    latitude: Decimal,
    longitude: Decimal,
    radius_m: int,
    by: Actor = SYSTEM,
) -> Site:
    """A place of the organisation: WGS-84 degrees, radius in metres."""
    return Site.objects.create(
        organisation=organisation, name=name, address=address, latitude=latitude, longitude=longitude, radius_m=radius_m
    )
