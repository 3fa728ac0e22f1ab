from celery import current_app
from django.core.cache import caches

from backend.core import broker

# One for the whole process: Django keeps its own a thread, the web server has a thread a request, and each would connect anew.
cache = caches.create_connection("default")

WOKEN = "core.woken"
WOKEN_SECONDS = 2
ADVANCING = "core.advancing"
ADVANCING_SECONDS = 5


def wake() -> None:
    """Asks a worker to look for waiting events, unless one was asked and has not finished looking. Call it after the commit.

    A lost broker loses nothing, and so does a mark whose task never came: beat looks every two seconds.
    """
    broker.ask("wake-up", _send)


def _send() -> None:
    if cache.add(WOKEN, True, WOKEN_SECONDS):
        current_app.send_task("core.advance", ignore_result=True, retry=False)


def advancing() -> bool:
    """Whether the caller may advance: nobody else does, or the one who did was not heard of for five seconds, or the broker is lost."""
    alone = True

    def claim() -> None:
        nonlocal alone
        alone = cache.add(ADVANCING, True, ADVANCING_SECONDS)

    broker.ask("advancing", claim)
    return alone


def advanced() -> None:
    """Lets another advance, and be asked to. Whoever calls it looks once more for what was committed while nobody could be asked."""
    broker.ask("advanced", lambda: cache.delete_many((ADVANCING, WOKEN)))
