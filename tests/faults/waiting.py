"""How many events are not yet published: `python -m tests.faults.waiting [SECONDS]` asks until none is, or that time is over."""

import sys
import time

import django


def waiting() -> int:
    from backend.core.events import newest_position, subscribers
    from backend.core.models import Cursor, Event
    from backend.evidence.published import CHAINS, published_size

    unpublished = Event.objects.exclude(chain=None).count() - sum(published_size(chain) for chain in CHAINS)
    behind = Cursor.objects.filter(name__in=subscribers(), position__lt=newest_position()).count()
    return unpublished + behind


def main(seconds: float) -> None:
    until = time.monotonic() + seconds
    while (left := waiting()) and time.monotonic() < until:
        time.sleep(0.1)
    print(left)


if __name__ == "__main__":
    django.setup()
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 0.0)
