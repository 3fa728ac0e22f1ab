"""Open sockets, seen from the services: which group one belongs to, and how to close it."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from backend.core.push import group_name, send


def console_group(session_key: str) -> UUID:
    """The group of a browser's session: derived from its key, which itself goes nowhere."""
    return UUID(bytes=hashlib.sha256(f"yirong.console\n{session_key}".encode()).digest()[:16])


def close(groups: Iterable[UUID]) -> None:
    """After the commit, closes every open socket of these sessions, members or organisations (code 4401).

    A lost broker is logged, never raised: a socket looks again whether it may still listen before it passes anything on.
    """
    messages = [(group_name(group), {"type": "live.revoked"}) for group in groups]
    transaction.on_commit(lambda: send("revocation", messages), robust=True)
