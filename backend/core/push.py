"""Live push: ids and a kind, to whom it concerns, after the commit. It holds nothing: who was away fetches by the API."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

from backend.core import broker


@dataclass(frozen=True)
class Push:
    """What is told, and to which organisations and members."""

    audience: tuple[UUID, ...]
    kind: str
    ids: dict[str, Any] = field(default_factory=dict)


def group_name(audience: UUID) -> str:
    """The channel layer's group of an organisation or a member."""
    return f"live.{audience.hex}"


def send_now(pushes: Sequence[Push]) -> None:
    """Sends at once. A lost broker is logged, never raised: the rows are committed, and clients catch up by the API."""
    messages = [
        (group_name(one), {"type": "live.push", "message": {"type": "push", "kind": told.kind, **told.ids}})
        for told in pushes
        for one in told.audience
    ]
    send(f"push {', '.join(dict.fromkeys(told.kind for told in pushes))}", messages)


def send(what: str, messages: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Sends messages to groups of the channel layer, all in one go, within broker.PATIENCE_SECONDS; a lost broker is logged."""
    layer = get_channel_layer()

    async def send_all() -> None:
        async with asyncio.timeout(broker.PATIENCE_SECONDS):
            for group, message in messages:
                await layer.group_send(group, message)

    if messages:
        broker.ask(what, async_to_sync(send_all))


def push(audience: Iterable[UUID], kind: str, **ids: Any) -> None:
    """After the commit of the current transaction, tells the sockets of these organisations and members that `kind` happened."""
    push_all([Push(tuple(dict.fromkeys(audience)), kind, ids)])


def push_all(pushes: Sequence[Push]) -> None:
    """As push, of many: they are sent together."""
    transaction.on_commit(lambda: send_now(pushes), robust=True)
