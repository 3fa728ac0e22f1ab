"""Live push: ids and a kind, to whom it concerns, after the commit. It holds nothing: who was away fetches by the API."""

import asyncio
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

from backend.core import broker


def group_name(audience: UUID) -> str:
    """The channel layer's group of an organisation or a member."""
    return f"live.{audience.hex}"


def send_now(audience: Iterable[UUID], kind: str, ids: dict[str, Any]) -> None:
    """Sends at once. A lost broker is logged, never raised: the rows are committed, and clients catch up by the API."""
    layer = get_channel_layer()
    message = {"type": "live.push", "message": {"type": "push", "kind": kind, **ids}}

    async def send() -> None:
        async with asyncio.timeout(broker.PATIENCE_SECONDS):
            for one in audience:
                await layer.group_send(group_name(one), message)

    broker.ask(f"push {kind}", async_to_sync(send))


def push(audience: Iterable[UUID], kind: str, **ids: Any) -> None:
    """After the commit of the current transaction, tells the sockets of these organisations and members that `kind` happened."""
    everyone = list(dict.fromkeys(audience))
    transaction.on_commit(lambda: send_now(everyone, kind, ids), robust=True)
