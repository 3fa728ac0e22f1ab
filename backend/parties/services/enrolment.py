"""Organisations, their places and their people."""

from decimal import Decimal

from django.db import IntegrityError, transaction
from stdnum.cn import uscc as social_credit_code
from stdnum.exceptions import ValidationError

from backend.core.errors import Malformed
from backend.core.events import SYSTEM, Actor
from backend.parties.errors import AlreadyMember, AlreadyVerified, UsccInvalid
from backend.parties.models import Member, Organisation, Person, Role, Site, Verification


def create_organisation(*, uscc: str, name: str, kind: str, name_en: str = "", by: Actor = SYSTEM) -> Organisation:
    """An organisation that claims a unified social credit code (GB 32100-2015: 18 characters, the last a check digit).

    It is CLAIMED until somebody verifies it. Raises UsccInvalid.
    """
    try:
        checked = social_credit_code.validate(uscc)
    except ValidationError:
        raise UsccInvalid(
            f"“{uscc}” is not one: 18 characters with a check digit were expected.", field="uscc"
        ) from None
    return Organisation.objects.create(uscc=checked, name=name, name_en=name_en, kind=kind)


def verify_organisation(*, by: Actor, organisation: Organisation, method: str) -> Organisation:
    """Records that the organisation is who it claims to be, how that was found, and by whom.

    Raises AlreadyVerified when another one is verified under the same code.
    """
    try:
        with transaction.atomic():
            Organisation.objects.filter(id=organisation.id).update(
                verification=Verification.VERIFIED, verified_method=method, verified_by=by.member
            )
    except IntegrityError:
        raise AlreadyVerified() from None
    organisation.refresh_from_db()
    return organisation


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


def enrol_member(*, by: Actor, person: Person, organisation: Organisation, roles: list[str]) -> Member:
    """Makes a person a member with these roles. Raises Malformed for a role that is none, AlreadyMember."""
    unknown = [role for role in roles if role not in Role.values]
    if unknown or not roles:
        raise Malformed(f"Not a role: {', '.join(unknown) or 'none given'}.", field="roles")
    try:
        with transaction.atomic():
            return Member.objects.create(
                person=person, organisation=organisation, roles=roles, enrolled_by_id=by.member
            )
    except IntegrityError:
        raise AlreadyMember() from None
