from celery import current_app
from django.core.cache import cache

from backend.core import broker

WOKEN = "core.woken"
WOKEN_SECONDS = 2


def wake() -> None:
    """Asks a worker to look for waiting events, unless one was asked and has not begun to look. Call it after the commit.

    A lost broker loses nothing, and so does a mark whose task never came: beat looks every two seconds.
    """
    broker.ask("wake-up", _send)


def _send() -> None:
    if cache.add(WOKEN, True, WOKEN_SECONDS):
        current_app.send_task("core.advance", ignore_result=True, retry=False)


def awake() -> None:
    """Says that a worker begins to look: what is committed from now on asks again. Call it before anything is read."""
    broker.ask("awake", lambda: cache.delete(WOKEN))
