"""The broker, asked while a person waits for a commit: with little patience, and not at all for a moment after it kept silent.

Nothing that matters lies in the broker. What it was not asked is done by beat, or fetched by the API.
"""

import time
from collections.abc import Callable

import structlog
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

log = structlog.get_logger(__name__)

LOST = (OSError, RedisError, OperationalError)
PATIENCE_SECONDS = 1.0
SILENCE_SECONDS = 2.0

_silent_until = 0.0


def ask(what: str, request: Callable[[], object]) -> bool:
    """Makes a request of the broker; False when it was lost, which is logged and never raised.

    A broker that refuses costs nothing. One that does not answer costs PATIENCE_SECONDS once, and then SILENCE_SECONDS pass before this
    process asks again. `request` bounds its own time.
    """
    global _silent_until
    if time.monotonic() < _silent_until:
        log.info("broker not asked", what=what)
        return False
    try:
        request()
    except LOST as error:
        log.warning("broker lost", what=what, error=type(error).__name__)
        if isinstance(error, TimeoutError | RedisTimeoutError):
            _silent_until = time.monotonic() + SILENCE_SECONDS
        return False
    return True
