"""Reads of this room."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from knox.crypto import hash_token

from backend.core import clock
from backend.core.errors import DomainError, NotAuthenticated
from backend.core.events import Actor
from backend.parties.errors import DeviceRevoked, MemberForeign, NotEnrolled
from backend.parties.models import Consent, LoginRecord, Member, OrganisationKind, Person, Role, Session, Verification
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
