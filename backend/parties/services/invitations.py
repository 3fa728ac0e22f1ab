"""Inviting somebody by a code that works once: issued, looked up with bounded guessing, accepted by joining, withdrawn.

A code is twelve characters of Crockford's base 32, written `K7QD-9F3M-2XWH`. The first five name the invitation, so that wrong codes count
against it; of the whole only a keyed digest is kept.
"""

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.crypto import constant_time_compare, salted_hmac

from backend.core import clock
from backend.core.errors import NotFound
from backend.core.events import SYSTEM, Actor, emit
from backend.core.ids import typed
from backend.core.sections import Section
from backend.parties import events
from backend.parties.errors import FirstAdministrator, InvitationEnded, InvitationInvalid, NotEnrolled
from backend.parties.models import Invitation, Member, Organisation, Person, Role
from backend.parties.selectors import member_of, operates
from backend.parties.services.authority import (
    administrator,
    administrators,
    checked_roles,
    lock_organisation,
)
from backend.parties.services.enrolment import enrol

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LOCATOR, LENGTH = 5, 12
VALID = timedelta(days=7)
ALIKE = str.maketrans("OIL", "011", "- ")


@dataclass(frozen=True)
class Invited:
    """An invitation and its code, which is told once and kept nowhere."""

    invitation: Invitation
    code: str


@transaction.atomic
def invite(*, by: Actor, name: str, roles: list[str], name_en: str = "", organisation: UUID | None = None) -> Invited:
    """An administrator invites somebody into the own organisation; the operator, the first administrator of another (`organisation`).

    Raises Forbidden, NotFound (another's organisation), FirstAdministrator, Malformed, RoleForeign.
    """
    own = member_of(by)
    if organisation is None or (own and own.organisation_id == organisation):
        of = administrator(by).organisation
    else:
        of = _without_administrator(by, organisation, roles)
    code = _new_code()
    while Invitation.objects.filter(locator=code[:LOCATOR]).exists():
        code = _new_code()
    now = clock.now()
    invitation = Invitation.objects.create(
        organisation=of,
        name=name,
        name_en=name_en,
        roles=checked_roles(of, roles),
        locator=code[:LOCATOR],
        code_digest=_digest(code),
        issued_by=own,
        issued_at=now,
        expires_at=now + VALID,
    )
    facts = {
        "invitation": typed("invitation", invitation.id),
        "organisation": typed("organisation", of.id),
        "roles": invitation.roles,
        "issued_by": own and typed("member", own.id),
        "expires_at": clock.rfc3339(invitation.expires_at),
    }
    _tell(
        invitation,
        by,
        {"act": Section(facts), "person": Section({"name": name, "name_en": name_en}, purpose="enrolment")},
        type_=events.INVITATION_ISSUED,
    )
    return Invited(invitation, "-".join(code[place : place + 4] for place in range(0, LENGTH, 4)))


def _without_administrator(by: Actor, organisation: UUID, roles: list[str]) -> Organisation:
    """The organisation whose first administrator the operator invites. For whoever is not the operator it is not there."""
    if by is not SYSTEM and not operates(by):
        raise NotFound()
    of = lock_organisation(organisation)
    if administrators(of.id) or Role.ADMIN not in roles:
        raise FirstAdministrator()
    return of


@transaction.atomic
def withdraw_invitation(*, by: Actor, invitation_id: UUID) -> Invitation:
    """Takes an invitation back, by an administrator of the organisation or by whoever issued it. Raises Forbidden, NotFound, InvitationEnded."""
    own = administrator(by)
    invitation = Invitation.objects.select_related("organisation").filter(id=invitation_id).first()
    if invitation is None or own.organisation_id not in (invitation.organisation_id, _issuing_organisation(invitation)):
        raise NotFound()
    still = Invitation.objects.filter(id=invitation_id, accepted_at=None, withdrawn_at=None)
    if not still.update(withdrawn_at=clock.now()):
        raise InvitationEnded()
    invitation.refresh_from_db()
    _tell(invitation, by, {}, type_=events.INVITATION_WITHDRAWN)
    return invitation


def find_invitation(code: str) -> Invitation:
    """The open invitation of a code. A try counts against the invitation before the code is compared, so that guesses at the same moment are
    bounded too; a right code takes its try back. Raises InvitationInvalid. Call it outside a transaction: a wrong try must stay counted."""
    canonical = unicodedata.normalize("NFKC", code).upper().translate(ALIKE)
    named = Invitation.objects.filter(locator=canonical[:LOCATOR])
    still = named.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=clock.now(), tries__lt=Invitation.TRIES)
    if len(canonical) != LENGTH or set(canonical) - set(ALPHABET) or not still.update(tries=F("tries") + 1):
        raise InvitationInvalid(field="invitation")
    invitation = named.select_related("organisation", "issued_by__organisation").get()
    if not constant_time_compare(_digest(canonical), invitation.code_digest):
        raise InvitationInvalid(field="invitation")
    named.update(tries=F("tries") - 1)
    return invitation


def accept_invitation(*, by: Actor, invitation: Invitation, person: Person) -> Member:
    """Makes the person a member as invited; in the caller's transaction. Of two at once one joins.

    Raises InvitationInvalid (also when whoever invited may no longer invite), AlreadyMember, NotEnrolled for a person made inactive.
    """
    if not person.is_active:
        raise NotEnrolled()
    lock_organisation(invitation.organisation_id)
    now = clock.now()
    still = Invitation.objects.filter(id=invitation.id, accepted_at=None, withdrawn_at=None, expires_at__gt=now)
    if not still.filter(tries__lt=Invitation.TRIES).update(accepted_at=now) or not _still_meant(invitation):
        raise InvitationInvalid(field="invitation")
    member = enrol(
        by=by,
        person=person,
        organisation=invitation.organisation,
        roles=invitation.roles,
        invitation=invitation,
    )
    Invitation.objects.filter(id=invitation.id).update(member=member)
    return member


def _still_meant(invitation: Invitation) -> bool:
    """An administrator's invitation holds while they administer; the operator's, until there is an administrator."""
    if _issuing_organisation(invitation) != invitation.organisation_id:
        return not administrators(invitation.organisation_id)
    return invitation.issued_by_id in [one.id for one in administrators(invitation.organisation_id)]


def _issuing_organisation(invitation: Invitation) -> UUID | None:
    return invitation.issued_by.organisation_id if invitation.issued_by else None


def _new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def _digest(code: str) -> str:
    return salted_hmac("yirong.invitation", code, algorithm="sha256").hexdigest()


def _tell(invitation: Invitation, by: Actor, sections: dict[str, Section], *, type_: str) -> None:
    emit(
        type=type_,
        chain="supply",
        subject=("invitation", invitation.id),
        by=by,
        sections=sections,
        audience=[one for one in (invitation.issued_by_id, by.member) if one],
        payload={"invitation": str(invitation.id), "organisation": str(invitation.organisation_id)},
    )
