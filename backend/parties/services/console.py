"""Signing in to the console: username and password, a Django session."""

import re
from dataclasses import replace
from importlib import import_module
from uuid import UUID

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from backend.core.errors import Malformed
from backend.parties import sockets
from backend.parties.auth import MEMBER_KEY
from backend.parties.errors import NotEnrolled, PasswordWeak, PasswordWrong, UsernameTaken
from backend.parties.models import LoginRecord, Member, Person
from backend.parties.origins import client_ip, origin_of
from backend.parties.selectors import choose_member
from backend.parties.services import lockout
from backend.parties.services.attempts import Attempt, counted, record_opened
from backend.parties.services.invitations import accept_invitation, find_invitation
from backend.parties.usernames import canonical_username

ASSURANCE = "L1"
USERNAME = re.compile(r"[\w.@+-]{3,64}")


def sign_in_console(*, username: str, password: str, request: HttpRequest, member: UUID | None = None) -> LoginRecord:
    """Signs this browser in. Every try leaves a login record; it counts by username (however it is written) and address.

    Raises PasswordWrong (also for a username that nobody has), NotEnrolled, MemberForeign, LockedOut.
    """
    name = canonical_username(username)
    attempt = _attempt(request, lockout.source_of("console", name, client_ip(request)))
    with counted(attempt):
        # NUL is in no username, and PostgreSQL would not even look for it
        attempt.person = None if "\0" in name else Person.objects.filter(username=name).first()
        person = auth.authenticate(request, username="" if attempt.person is None else name, password=password)
        if not isinstance(person, Person):
            raise PasswordWrong()
        attempt.person = person
        attempt.member = _member(person, member)
        displaced = _displaced_by(person, request)
        record = _open(attempt, request)
        sockets.close(displaced)
        return record


def join_at_console(*, code: str, username: str, password: str, request: HttpRequest) -> LoginRecord:
    """Accepts an invitation with a new user name and password, and signs this browser in. Tries count by address, as sign-ins do.

    Raises Malformed (user name), PasswordWeak, InvitationInvalid, UsernameTaken, LockedOut.
    """
    name = canonical_username(username)
    if not USERNAME.fullmatch(name):
        raise Malformed("3 to 64 letters, digits, dots, dashes or underscores.", field="username")
    try:
        validate_password(password)
    except ValidationError as error:
        raise PasswordWeak(" ".join(error.messages), field="password") from None
    attempt = _attempt(request, lockout.source_of("invitation", client_ip(request)))
    with counted(attempt):
        invitation = find_invitation(code)
        with transaction.atomic():
            try:
                with transaction.atomic():
                    person = Person.objects.create_user(
                        name=invitation.name, name_en=invitation.name_en, username=name, password=password
                    )
            except IntegrityError:
                raise UsernameTaken(field="username") from None
            member = accept_invitation(by=attempt.actor(ASSURANCE), invitation=invitation, person=person)
            joined = replace(attempt, person=person, member=member)
            return _open(joined, request)


def open_console_session(*, person: Person, request: HttpRequest, member: UUID | None = None) -> LoginRecord:
    """Signs this browser in as `person` without a password: for callers that know by other means who it is. Recorded like any other.

    The browser's session before it lives on until it runs out: a request that the page before has still under way then finds it. Without
    it, the answer to that request would tell the browser to forget its cookie, which is by then the new session's.
    Its open sockets are closed where it was somebody else's: their page must not go on as if they still sat there.
    Raises NotEnrolled, MemberForeign.
    """
    attempt = _attempt(request, lockout.source_of("console", person.username, client_ip(request)))
    attempt.person = person
    attempt.member = _member(person, member)
    displaced = _displaced_by(person, request)
    request.session = import_module(settings.SESSION_ENGINE).SessionStore()
    record = _open(attempt, request)
    sockets.close(displaced)
    return record


def sign_out_console(*, request: HttpRequest) -> None:
    """Ends this browser's session, its open sockets included."""
    key = request.session.session_key
    auth.logout(request)
    if key:
        sockets.close([sockets.console_group(key)])


def _displaced_by(person: Person, request: HttpRequest) -> list[UUID]:
    """The sockets of whoever else is signed in on this browser, which has room for one."""
    other, key = auth.get_user(request), request.session.session_key
    return [sockets.console_group(key)] if key and other.is_authenticated and other != person else []


def _attempt(request: HttpRequest, source: str) -> Attempt:
    return Attempt(
        channel="console",
        source=source,
        origin=origin_of(request),
        model="browser",
        system=request.headers.get("User-Agent", "")[:200],
        platform="console",
    )


def _member(person: Person, asked: UUID | None) -> Member | None:
    """Whom to act as; staff without a membership may still read the admin site."""
    try:
        return choose_member(person, asked)
    except NotEnrolled:
        if not person.is_staff:
            raise
        return None


def _open(attempt: Attempt, request: HttpRequest) -> LoginRecord:
    assert attempt.person
    with transaction.atomic():
        if attempt.member and not Member.objects.filter(id=attempt.member.id, active=True).update(active=True):
            raise NotEnrolled()
        auth.login(request, attempt.person, backend="django.contrib.auth.backends.ModelBackend")
        if attempt.member:
            request.session[MEMBER_KEY] = str(attempt.member.id)
        record_opened(attempt, session=None, assurance=ASSURANCE)
    return attempt.record
