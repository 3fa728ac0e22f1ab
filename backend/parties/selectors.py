"""Reads of this room."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from knox.crypto import hash_token

from backend.core import clock
from backend.core.errors import DomainError, Forbidden, NotAuthenticated, NotFound
from backend.core.events import Actor
from backend.parties.errors import AuthorityExceeded, DeviceRevoked, MemberForeign, NotEnrolled
from backend.parties.models import (
    Consent,
    Delegation,
    Device,
    Invitation,
    LoginRecord,
    Member,
    Organisation,
    OrganisationKind,
    Person,
    Role,
    Session,
    Verification,
)
from backend.parties.texts import CONSENT_TEXTS, ConsentText

_origins: list[Callable[[], str]] = []


def register_supply_origin(read: Callable[[], str]) -> None:
    """Called in `ready()` by the room that holds the ledger: how to read the supply chain's origin, which every signature names."""
    _origins[:] = [read]


def supply_origin() -> str:
    """The name of the supply chain's log, `<host>/supply`."""
    return _origins[0]() if _origins else f"{settings.LEDGER_ORIGIN}/supply"


def _sessions() -> QuerySet[Session]:
    return Session.objects.select_related("user", "member__organisation", "device")


def session_of_token(token: str) -> Session | None:
    """The session of a token, alive or not; None for a token that was never given out."""
    if not token.isascii():
        return None
    return _sessions().filter(digest=hash_token(token)).first()


def session_by_id(session_id: UUID) -> Session | None:
    """The session, alive or not."""
    return _sessions().filter(id=session_id).first()


def why_not(session: Session) -> DomainError | None:
    """Why this session may not act now: ended (401), its device revoked or its member no longer active (403); None when it may."""
    if session.revoked_at or (session.expiry and session.expiry <= clock.now()) or not session.user.is_active:
        return NotAuthenticated("This sign-in has ended; sign in again.")
    if session.device.revoked_at:
        return DeviceRevoked()
    return None if session.member.active else NotEnrolled()


def member_of(by: Actor) -> Member | None:
    """The active member who acts, with person and organisation; None where nobody does."""
    if by.member is None:
        return None
    try:
        return Member.objects.select_related("organisation", "person").get(id=by.member, active=True)
    except Member.DoesNotExist:
        return None


def watches_risk(member: Member) -> bool:
    """Whether all orders and alerts lie open to this member: a risk officer of the operator, once that is verified."""
    of = member.organisation
    operates = of.kind == OrganisationKind.OPERATOR and of.verification == Verification.VERIFIED
    return operates and member.has_role(Role.RISK_OFFICER)


def risk_watchers() -> list[Member]:
    """The active members of whom watches_risk is true."""
    working = Member.objects.filter(active=True, organisation__kind=OrganisationKind.OPERATOR)
    return [member for member in working.select_related("organisation") if watches_risk(member)]


def audits(member: Member) -> bool:
    """Whether all orders lie open to this member as an auditor: its organisation is one, and verified."""
    of = member.organisation
    return of.kind == OrganisationKind.AUDITOR and of.verification == Verification.VERIFIED


def active_members(person: Person) -> list[Member]:
    """The person's active memberships, the oldest first, with their organisations."""
    return list(
        person.members.filter(active=True).select_related("organisation", "person").order_by("enrolled_at", "id")
    )


def choose_member(person: Person, member_id: UUID | None) -> Member:
    """The membership to act as: the one asked for, else the oldest active one. Raises NotEnrolled, MemberForeign (404)."""
    members = active_members(person) if person.is_active else []
    if not members:
        raise NotEnrolled()
    if member_id is None:
        return members[0]
    chosen = next((member for member in members if member.id == member_id), None)
    if chosen is None:
        raise MemberForeign()
    return chosen


def logins_of(person: Person) -> QuerySet[LoginRecord]:
    """What is recorded about a person's tries to sign in."""
    return LoginRecord.objects.filter(person=person).select_related("device", "member__organisation")


def consents_of(person: Person) -> list[tuple[ConsentText, Consent | None]]:
    """Each present text with the person's newest answer to it; None where they were not asked, or only under an earlier version."""
    return [(text, _newest_answer(person.id, text)) for text in CONSENT_TEXTS.values()]


def consent_held(
    consent_id: UUID, *, person_id: UUID, purpose: str, at: datetime, behind: timedelta = timedelta(0)
) -> bool:
    """Whether this was the person's consent at a moment: a yes to the present text, given by then, not withdrawn until then.

    `behind`: how far the clock that told the moment may lag behind the one that told when the consent was given.
    """
    text = CONSENT_TEXTS[purpose]
    answers = list(Consent.objects.filter(person=person_id, purpose=purpose, id__gte=consent_id))
    given = any(
        one.id == consent_id and one.given and one.text_sha256 == text.sha256 and one.at <= at + behind
        for one in answers
    )
    withdrawn = any(one.id != consent_id and not one.given and one.at <= at for one in answers)
    return given and not withdrawn


def _newest_answer(person_id: UUID, text: ConsentText) -> Consent | None:
    newest = Consent.objects.filter(person=person_id, purpose=text.purpose).order_by("-id").first()
    return newest if newest and newest.text_sha256 == text.sha256 else None


def may_sign(
    member: Member, doc_type: str, amount_fen: int, at: datetime, *, currency: str = "CNY"
) -> Delegation | None:
    """By what right the member signs: None for a signer, who signs everything; else the delegation that covers this document.

    `doc_type` is a DelegatedDocument, `at` the phone's clock at the act. A phone's clock can be set, so a delegation covers what was signed
    in its time and arrives before its end. It lapses with its grantor's own right. Raises Forbidden for who has neither role nor
    delegation, AuthorityExceeded naming what is not covered: doc_type, at, or amount.
    """
    if member.has_role(Role.SIGNER):
        return None
    held = delegations_held(member)
    if not held:
        raise Forbidden()
    now = clock.now()
    of_kind = [one for one in held if doc_type in one.doc_types]
    in_time = [one for one in of_kind if one.valid_from <= at < one.valid_to and one.valid_from <= now < one.valid_to]
    enough = [one for one in in_time if one.currency == currency and amount_fen <= one.max_amount_fen]
    if not of_kind:
        raise AuthorityExceeded("No delegation of yours is for this kind of document.", field="doc_type")
    if not in_time:
        raise AuthorityExceeded("Your delegation does not cover this time.", field="at")
    if not enough:
        raise AuthorityExceeded("The amount is over what was delegated to you.", field="amount")
    return enough[0]


def delegations_held(member: Member) -> list[Delegation]:
    """What was delegated to the member and not taken back, by somebody who still may; in time or not."""
    rows = Delegation.objects.filter(to_member=member, revoked_at=None, from_member__active=True)
    granted = rows.select_related("from_member").order_by("id")
    return [one for one in granted if one.from_member.has_role(Role.SIGNER, Role.ADMIN)]


def signs(member: Member, *doc_types: str) -> list[bool]:
    """For each kind of document, whether one may be the member's to sign now: what pages and task lists offer."""
    if member.has_role(Role.SIGNER):
        return [True] * len(doc_types)
    now = clock.now()
    held = [one for one in delegations_held(member) if one.valid_from <= now < one.valid_to]
    return [any(doc_type in one.doc_types for one in held) for doc_type in doc_types]


def administered(by: Actor) -> Member | None:
    """The member who acts when they administer their organisation, else None."""
    member = member_of(by)
    return member if member and member.has_role(Role.ADMIN) else None


def administers_operator(member: Member) -> bool:
    """Whether this member may decide about organisations: an administrator of the operator, once that is verified."""
    of = member.organisation
    verified = of.kind == OrganisationKind.OPERATOR and of.verification == Verification.VERIFIED
    return verified and member.has_role(Role.ADMIN)


def operates(by: Actor) -> bool:
    """Whether the member who acts may decide about organisations."""
    member = member_of(by)
    return member is not None and administers_operator(member)


def organisations(by: Actor) -> QuerySet[Organisation]:
    """The caller's own organisation; all of them for the operator's administrators."""
    own = Q() if operates(by) else Q(members=by.member, members__active=True)
    rows = Organisation.objects.filter(own)
    return rows.prefetch_related("verifications__verified_by__organisation")


def members(by: Actor) -> QuerySet[Member]:
    """The members of the organisation that the caller administers, former ones too; nobody for others."""
    own = administered(by)
    rows = Member.objects.filter(organisation=own.organisation_id) if own else Member.objects.none()
    return rows.select_related("person", "organisation", "enrolled_by__person", "enrolled_by__organisation")


def member_by_id(by: Actor, member_id: UUID) -> Member:
    """A member of the organisation that the caller administers. Raises NotFound."""
    member = members(by).filter(id=member_id).first()
    if member is None:
        raise NotFound()
    return member


def invitations(by: Actor) -> QuerySet[Invitation]:
    """The invitations into the organisation that the caller administers, and those that its members issued into others."""
    own = administered(by)
    if own is None:
        return Invitation.objects.none()
    mine = Q(organisation=own.organisation_id) | Q(issued_by__organisation=own.organisation_id)
    return Invitation.objects.filter(mine).select_related("organisation", "issued_by__person", "member")


def delegations(by: Actor) -> QuerySet[Delegation]:
    """The delegations of the organisation for its signers and administrators; for others those they hold."""
    own = member_of(by)
    if own is None:
        return Delegation.objects.none()
    all_own = own.has_role(Role.SIGNER, Role.ADMIN)
    rows = Delegation.objects.filter(**({"organisation": own.organisation_id} if all_own else {"to_member": own}))
    return rows.select_related("from_member__person", "to_member__person")


def devices(by: Actor) -> QuerySet[Device]:
    """The caller's own handsets: registered by them, or signed in on."""
    mine = Q(registered_by__person=by.person) | Q(sessions__user=by.person)
    return (
        Device.objects.filter(mine).select_related("registered_by").distinct() if by.person else Device.objects.none()
    )


def devices_of_member(by: Actor, member_id: UUID) -> QuerySet[Device]:
    """The handsets that a member of the administered organisation registered for it. Raises NotFound."""
    return Device.objects.filter(registered_by=member_by_id(by, member_id)).select_related("registered_by")


def may_revoke_device(by: Actor, device: Device) -> bool:
    """Whether the caller registered the handset, or administers the organisation it was registered for."""
    own = administered(by)
    return device.registered_by.person_id == by.person or (
        own is not None and own.organisation_id == device.registered_by.organisation_id
    )
