import structlog
from celery import shared_task

from backend.core import events
from backend.core.wake import awake, wake

log = structlog.get_logger(__name__)


@shared_task(name="core.advance")
def advance() -> None:
    """Numbers what waits, then lets every follower and subscriber catch up. One that fails is logged and does not hold up the others.

    Two at a time are harmless: numbers are given under a lock, each cursor is claimed. Work that is left is picked up by the next beat.
    """
    awake()
    while events.number_waiting():
        pass
    for name, run in events.followers().items():
        try:
            run()
        except Exception:
            log.exception("follower failed", follower=name)
    for name in events.subscribers():
        try:
            while events.run_subscriber(name):
                pass
        except Exception:
            log.exception("subscriber stopped", subscriber=name)
    if events.number_waiting():
        wake()
