"""The live socket: who signed in is told at once that something changed, and fetches it by the API. Nothing is written here."""

import asyncio
import json
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from channels.auth import get_user
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from redis.exceptions import RedisError

from backend.core import clock
from backend.core.push import group_name
from backend.parties.auth import MEMBER_KEY, console_member
from backend.parties.models import Person, Session
from backend.parties.selectors import session_by_id, session_of_token, why_not
from backend.parties.sockets import console_group

log = structlog.get_logger(__name__)

AUTHENTICATE_SECONDS = 10.0
LOOK_AGAIN_SECONDS = 30.0
MESSAGE_LIMIT = 4096
BROKEN_MESSAGE = 4400
NOT_AUTHENTICATED = 4401
UNSUPPORTED, TOO_BIG, TRY_LATER = 1003, 1009, 1013


@dataclass(frozen=True)
class Listener:
    """Who listens, until when, and to which groups: the organisation's, the member's, and the session's own."""

    session: UUID | None
    until: datetime
    groups: tuple[UUID, ...]


class LiveConsumer(AsyncWebsocketConsumer):
    """`/ws/live/`: the first message is {"type": "authenticate", "token": ...} (without token at the console), within ten seconds.

    Answers {"type": "ready"}, then {"type": "push", "kind": ..., ids}; {"type": "ping"} gets {"type": "pong"}. Closes with 4401 where nobody
    is signed in or no longer, 4400 for what is no message, 1009 for more than 4096 bytes, 1003 for binary.
    """

    async def connect(self) -> None:
        self.listener: Listener | None = None
        self.joined: list[str] = []
        self.looked_at = 0.0
        self.timer: asyncio.Task[None] | None = None
        await self.accept()
        self._close_in(AUTHENTICATE_SECONDS)

    async def disconnect(self, code: int) -> None:
        if self.timer and self.timer is not asyncio.current_task():
            self.timer.cancel()
        await self._leave()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if text_data is None:
            return await self.close(UNSUPPORTED)
        if len(text_data.encode("utf-8", "surrogatepass")) > MESSAGE_LIMIT:
            return await self.close(TOO_BIG)
        message = _read(text_data)
        kind = message.get("type")
        if kind == "ping":
            return await self._say({"type": "pong"})
        if kind != "authenticate":
            return await self.close(BROKEN_MESSAGE)
        return await self._authenticate(message.get("token"))

    async def live_push(self, event: dict[str, Any]) -> None:
        """From the channel layer: something changed."""
        if self.listener is None or not await self._still_allowed():
            return
        await self._say(event["message"])

    async def live_revoked(self, event: dict[str, Any]) -> None:
        """From the channel layer: this session, its device or its member was revoked, or the person signed out."""
        await self.close(NOT_AUTHENTICATED)

    async def _authenticate(self, token: object) -> None:
        if self.listener:
            return await self._say({"type": "ready"})
        if token is None:
            listener = await self._console_listener()
        else:
            listener = await _phone_listener(token) if isinstance(token, str) else None
        if listener is None:
            return await self.close(NOT_AUTHENTICATED)
        if not await self._join(listener):
            return await self.close(TRY_LATER)
        self.listener = listener
        # a revocation between the look above and the joining told nobody here: look again
        if not await self._still_allowed(now=True):
            return None
        self._close_in((listener.until - clock.now()).total_seconds())
        return await self._say({"type": "ready"})

    async def _join(self, listener: Listener) -> bool:
        try:
            for group in listener.groups:
                await self.channel_layer.group_add(group_name(group), self.channel_name)
                self.joined.append(group_name(group))
        except (OSError, RedisError) as error:
            log.warning("socket cannot listen", error=type(error).__name__)
            return False
        return True

    async def _leave(self) -> None:
        try:
            for name in self.joined:
                await self.channel_layer.group_discard(name, self.channel_name)
        except (OSError, RedisError) as error:
            log.warning("socket left without saying so", error=type(error).__name__)
        self.joined = []

    async def _still_allowed(self, *, now: bool = False) -> bool:
        """Whether the listener may still be told; looked up at most every half minute, and the socket closed when not."""
        assert self.listener
        if now or time.monotonic() - self.looked_at > LOOK_AGAIN_SECONDS:
            session = self.listener.session
            fresh = await _session_listener(session) if session else await self._console_listener()
            if fresh is None or fresh.groups != self.listener.groups:
                await self.close(NOT_AUTHENTICATED)
                return False
            self.looked_at = time.monotonic()
        return True

    async def _console_listener(self) -> Listener | None:
        """Who is signed in by the cookie now: read anew, because the handshake's session may have ended since."""
        key = getattr(self.scope.get("session"), "session_key", None)
        if not key:
            return None
        store = SessionStore(key)
        person = await get_user({"session": store})
        return await _console_listener(person, store) if isinstance(person, Person) else None

    def _close_in(self, seconds: float) -> None:
        if self.timer:
            self.timer.cancel()
        self.timer = asyncio.create_task(_later(seconds, self.close(NOT_AUTHENTICATED)))

    async def _say(self, message: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(message))


async def _later(seconds: float, work: Coroutine[Any, Any, None]) -> None:
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        work.close()
        raise
    await work


def _read(text: str) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


@database_sync_to_async
def _phone_listener(token: str) -> Listener | None:
    return _listener_of(session_of_token(token))


@database_sync_to_async
def _session_listener(session_id: UUID) -> Listener | None:
    return _listener_of(session_by_id(session_id))


def _listener_of(session: Session | None) -> Listener | None:
    if session is None or why_not(session):
        return None
    groups = (session.member.organisation_id, session.member_id, session.id)
    return Listener(session=session.id, until=session.expiry, groups=groups)


@database_sync_to_async
def _console_listener(person: Person, store: SessionStore) -> Listener | None:
    member = console_member(person, store.get(MEMBER_KEY)) if person.is_active else None
    if member is None or store.session_key is None:
        return None
    groups = (member.organisation_id, member.id, console_group(store.session_key))
    return Listener(session=None, until=store.get_expiry_date(), groups=groups)


if settings.SESSION_ENGINE != "django.contrib.sessions.backends.db":
    raise RuntimeError("the live socket reads console sessions from the database")
