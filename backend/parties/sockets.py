"""Open sockets, seen from the services: which group one belongs to, and how to close it."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction
from redis.exceptions import RedisError

from backend.core.push import group_name

log = structlog.get_logger(__name__)


def console_group(session_key: str) -> UUID:
    """The group of a browser's session: derived from its key, which itself goes nowhere."""
    return UUID(bytes=hashlib.sha256(f"yirong.console\n{session_key}".encode()).digest()[:16])


def close(groups: Iterable[UUID]) -> None:
    """After the commit, closes every open socket of these sessions, members or organisations (code 4401).

    A lost broker is logged, never raised: a socket looks again whether it may still listen before it passes anything on.
    """
    names = [group_name(group) for group in groups]
    transaction.on_commit(lambda: _send(names), robust=True)


def _send(names: list[str]) -> None:
    layer = get_channel_layer()

    async def send() -> None:
        for name in names:
            await layer.group_send(name, {"type": "live.revoked"})

    try:
        async_to_sync(send)()
    except (OSError, RedisError) as error:
        log.warning("sockets not told of a revocation", error=type(error).__name__)
