from celery import shared_task

from backend.parties import services
from backend.parties.services import lockout


@shared_task(name="parties.anchor_refusals")
def anchor_refusals() -> None:
    """Anchors the counts of refused sign-ins whose ten minutes are over, and forgets sources that are quiet."""
    while services.anchor_refusals():
        pass
    lockout.forget_old_sources()
