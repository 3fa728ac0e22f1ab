import structlog
from celery import shared_task

from backend.core import events, idempotency
from backend.core.wake import advanced, advancing

log = structlog.get_logger(__name__)


@shared_task(name="core.advance")
def advance() -> None:
    """Numbers what waits, then lets every follower and subscriber catch up. One that fails is logged and does not hold up the others.

    Two at a time are harmless, for numbers are given under a lock and each cursor is claimed; but they would only get in each other's way,
    so whoever comes while another advances leaves it to that one, which looks again after it has let go.
    """
    while advancing():
        try:
            _catch_up()
        finally:
            advanced()
        if not events.waiting():
            return


@shared_task(name="core.forget_answers")
def forget_answers() -> None:
    """Deletes stored answers that no phone will ask for again. Two at a time are harmless."""
    idempotency.forget_answers()


def _catch_up() -> None:
    while events.number_waiting() == events.NUMBERED_AT_ONCE:
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
