"""Records events in the product's database, each in a transaction of its own: `python -m tests.faults.record COUNT [PAUSE]`."""

import sys
import time

import django

import backend.celery  # noqa: F401 - wake-ups go to the product's broker


def main(count: int, pause: float) -> None:
    from django.db import transaction

    from backend.core.events import SYSTEM, emit
    from backend.core.ids import new_id
    from backend.core.sections import Section

    for number in range(count):
        with transaction.atomic():
            emit(
                type="test.happened",
                chain="asset" if number % 4 == 0 else "supply",
                subject=("pallet", new_id()),
                by=SYSTEM,
                sections={"document": Section({"number": number}, scope="faults")},
                audience=[new_id()],
            )
        time.sleep(pause)


if __name__ == "__main__":
    django.setup()
    main(int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0)
