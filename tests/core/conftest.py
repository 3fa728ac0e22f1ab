import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connection, transaction

from backend.core import events
from backend.core.events import SYSTEM, emit
from backend.core.ids import new_id
from backend.core.models import Event, Sequence

# On real transactions, as threads need. Naming all apps lets the flush afterwards cascade.
real_transactions = pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)


@pytest.fixture
def sequences(transactional_db: None) -> None:
    """The counters, which the flush after an earlier test on real transactions took away."""
    for name, first in {"position": 1, "supply": 0, "asset": 0}.items():
        Sequence.objects.get_or_create(name=name, defaults={"next": first})


def record(count: int = 1, **changes: Any) -> list[Event]:
    """Events, each in a transaction of its own."""
    made = []
    for _ in range(count):
        with transaction.atomic():
            given = {"type": "test.happened", "chain": "supply", "subject": ("pallet", new_id()), "by": SYSTEM}
            made.append(emit(**(given | changes)))
    return made


def at_once(*work: Callable[[], object]) -> list[Exception]:
    """Runs everything in threads that begin together; the errors that ended some of them."""
    together, errors = threading.Barrier(len(work)), []

    def run(one: Callable[[], object]) -> None:
        try:
            together.wait(10)
            one()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


class Recorder:
    """A subscriber whose effect is a row for each event it handled."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.broken: Callable[[Event], bool] = lambda event: False
        self.tried: list[UUID] = []

    def __call__(self, event: Event) -> None:
        self.tried.append(event.id)
        Group.objects.create(name=f"{event.id} {new_id()}")
        if self.broken(event):
            raise RuntimeError(f"cannot handle {event.subject_id}")

    def handled(self) -> list[UUID]:
        """The events whose effect is in the database, in the order of their handling."""
        names = Group.objects.order_by("id").values_list("name", flat=True)
        return [UUID(name.split()[0]) for name in names]


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """The only subscriber there is, to events of type test.happened."""
    monkeypatch.setattr(events, "_subscribers", {})
    recorder = Recorder("recorder")
    events.subscribe("recorder", {"test.happened"}, recorder)
    yield recorder
