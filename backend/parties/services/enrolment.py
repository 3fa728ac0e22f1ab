"""Who becomes a member, by whose word, and what a member may do."""

from dataclasses import replace
from uuid import UUID

from django.db import IntegrityError, transaction

from backend.core import clock
from backend.core.errors import Forbidden, NotFound
from backend.core.events import SYSTEM, Actor, emit
from backend.core.ids import typed
from backend.core.sections import Section
from backend.parties import events
from backend.parties.errors import AlreadyMember, LastAdministrator
from backend.parties.models import Invitation, Member, Organisation, Person, Role
from backend.parties.services.authority import administrator, administrators, checked_roles, lock_organisation


@transaction.atomic
def enrol_member(*, by: Actor, person: Person, organisation: Organisation, roles: list[str]) -> Member:
    """Makes a person a member with these roles without an invitation: the server's own command, nobody else.

    Raises Forbidden, Malformed for a role that is none, RoleForeign, AlreadyMember.
    """
    if by is not SYSTEM:
        raise Forbidden()
    return enrol(by=by, person=person, organisation=organisation, roles=checked_roles(organisation, roles))


def enrol(
    *, by: Actor, person: Person, organisation: Organisation, roles: list[str], invitation: Invitation | None = None
) -> Member:
    """The membership, made or (for a former member) made again, with who enrolled whom; in the caller's transaction.

    `by` is whoever joins, as far as known: the enrolling member stands in the invitation. Raises AlreadyMember.
    """
    fields = {
        "roles": roles,
        "enrolled_by": invitation.issued_by if invitation else None,
        "enrolled_at": clock.now(),
        "active": True,
    }
    former = Member.objects.filter(person=person, organisation=organisation)
    if former.filter(active=False).update(**fields):
        member = former.get()
    else:
        try:
            with transaction.atomic():
                member = Member.objects.create(person=person, organisation=organisation, **fields)
        except IntegrityError:
            raise AlreadyMember() from None
    facts = {
        "member": typed("member", member.id),
        "organisation": typed("organisation", organisation.id),
        "roles": roles,
        "enrolled_by": member.enrolled_by_id and typed("member", member.enrolled_by_id),
        "enrolled_at": clock.rfc3339(member.enrolled_at),
        "invitation": invitation and typed("invitation", invitation.id),
    }
    known = {"person": typed("person", person.id), "name": person.name, "name_en": person.name_en}
    joined = replace(by, person=person.id, member=member.id, organisation=organisation.id)
    emit(
        type=events.MEMBER_ENROLLED,
        chain="supply",
        subject=("member", member.id),
        by=joined if invitation else by,
        sections={"act": Section(facts), "person": Section(known, person=person.id, purpose="enrolment")},
        audience=[member.id, *([member.enrolled_by_id] if member.enrolled_by_id else [])],
        payload=_payload(member)
        | ({"enrolled_by": str(member.enrolled_by_id)} if member.enrolled_by_id else {})
        | ({"invitation": str(invitation.id)} if invitation else {}),
    )
    return member


@transaction.atomic
def change_roles(*, by: Actor, member_id: UUID, roles: list[str]) -> Member:
    """Gives a member of the own organisation these roles instead of the present ones. Raises Forbidden, NotFound, Malformed, RoleForeign,
    LastAdministrator."""
    organisation = lock_organisation(administrator(by).organisation_id)
    administrator(by)  # of two administrators who demote one another, one comes second
    member = Member.objects.filter(id=member_id, organisation=organisation, active=True).first()
    if member is None:
        raise NotFound()
    before, after = member.roles, checked_roles(organisation, roles)
    if after == before:
        return member
    if Role.ADMIN not in after:
        keep_an_administrator(member)
    member.roles = after
    member.save(update_fields=["roles"])
    facts = {
        "member": typed("member", member.id),
        "organisation": typed("organisation", organisation.id),
        "roles": after,
        "roles_before": before,
    }
    emit(
        type=events.MEMBER_ROLES_CHANGED,
        chain="supply",
        subject=("member", member.id),
        by=by,
        sections={"act": Section(facts)},
        audience=[member.id, *([by.member] if by.member else [])],
        payload=_payload(member),
    )
    return member


def keep_an_administrator(without: Member) -> None:
    """Raises LastAdministrator when nobody but this member administers the organisation. Call it under the organisation's lock."""
    left = administrators(without.organisation_id)
    if [one.id for one in left] == [without.id]:
        raise LastAdministrator()


def _payload(member: Member) -> dict[str, str]:
    return {
        "member": str(member.id),
        "person": str(member.person_id),
        "organisation": str(member.organisation_id),
    }
