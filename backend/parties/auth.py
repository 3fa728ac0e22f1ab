"""Who is asking: the session of a phone's token, or the person at the console, as the Actor that every service takes."""

from uuid import UUID

from django.http import HttpRequest
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from backend.core.errors import NotAuthenticated
from backend.core.events import Actor
from backend.parties.models import Member, Person, Session
from backend.parties.origins import origin_of
from backend.parties.selectors import active_members, session_of_token, why_not

MEMBER_KEY = "member"
PHONE_ASSURANCE = "L2"
CONSOLE_ASSURANCE = "L1"


class TokenAuthentication(KnoxTokenAuthentication):
    """`Authorization: Token <token>`. Unlike knox's own it deletes nothing: an ended session stays as a record.

    401 for a token that is unknown, ended or expired, 403 where its device was revoked or its member is no longer active.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[Person, Session]:
        session = session_of_token(token.decode("latin-1"))
        if session is None:
            raise AuthenticationFailed("This token is not known; sign in again.")
        refusal = why_not(session)
        if isinstance(refusal, NotAuthenticated):
            raise AuthenticationFailed(refusal.detail)
        if refusal:
            raise refusal
        return session.user, session


def actor(request: HttpRequest | Request) -> Actor:
    """Who acts by this request: by token as the session's member on its device (L2), at the console as the member chosen there (L1).

    In the demonstration a handset brings its own address and network. Nobody signed in, or no active member: an Actor without member.
    """
    session = getattr(request, "auth", None)
    if isinstance(session, Session):
        origin = origin_of(request, handset=session.handset if not request.headers.get("X-Handset") else "")
        return Actor(
            person=session.user_id,
            member=session.member_id,
            organisation=session.member.organisation_id,
            device=session.device_id,
            session=str(session.id),
            assurance=PHONE_ASSURANCE,
            ip=origin.ip,
            network_type=origin.network_type,
            simulated=origin.simulated,
            handset=origin.handset,
        )
    origin = origin_of(request)
    person = request.user
    member = console_member(person, request.session.get(MEMBER_KEY)) if isinstance(person, Person) else None
    return Actor(
        person=person.id if isinstance(person, Person) else None,
        member=member.id if member else None,
        organisation=member.organisation_id if member else None,
        assurance=CONSOLE_ASSURANCE if member else "L0",
        ip=origin.ip,
        network_type=origin.network_type,
        simulated=origin.simulated,
        handset=origin.handset,
    )


def console_member(person: Person, chosen: str | None) -> Member | None:
    """The membership that a console session acts as: the one chosen at sign-in while it is active, else none.

    A session that chose none (the admin site's sign-in) acts as the person's oldest active one.
    """
    members = active_members(person)
    if chosen is None:
        return members[0] if members else None
    return next((member for member in members if member.id == UUID(chosen)), None)
