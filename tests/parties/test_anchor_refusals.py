from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection

from backend.core.models import Event
from backend.core.sections import open_section
from backend.parties.models import RefusalWindow
from backend.parties.services import anchor_refusals, refusals
from backend.parties.tasks import anchor_refusals as task

NOON = datetime(2026, 11, 23, 12, 3, tzinfo=UTC)


def test_refusals_of_an_address_become_one_anchored_event_with_their_count_when_ten_minutes_are_over(
    phone, other_phone, wechat, people
):
    with time_machine.travel(NOON, tick=False):
        for _ in range(7):
            phone.sign_in("made-up")
        other_phone.sign_in("made-up")
        task()
        assert not Event.objects.filter(type="session.refusals").exists()
    with time_machine.travel(NOON + timedelta(minutes=7), tick=False):
        task()
        task()

    event = Event.objects.get(type="session.refusals")
    assert event.chain == "supply" and event.leaf
    assert open_section(event.id, "act").content == {
        "source": event.payload["source"],
        "started_at": "2026-11-23T12:00:00.000Z",
        "seconds": 600,
        "count": 8,
    }


def test_a_refusal_that_comes_late_counts_in_the_next_window(db):
    refusals.count("a" * 64, at=NOON)
    with time_machine.travel(NOON + timedelta(minutes=7), tick=False):
        assert anchor_refusals() == 1
        refusals.count("a" * 64, at=NOON)
    windows = RefusalWindow.objects.order_by("started_at").values_list("started_at", "count")
    assert list(windows) == [(NOON.replace(minute=0), 1), (NOON.replace(minute=10), 1)]


@pytest.mark.django_db(transaction=True)
def test_workers_that_run_at_the_same_moment_anchor_each_window_once():
    for number in range(6):
        refusals.count(f"{number}" * 64, at=NOON)

    def run(_: int) -> int:
        try:
            return anchor_refusals()
        finally:
            connection.close()

    with time_machine.travel(NOON + timedelta(minutes=20), tick=False), ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(run, range(4))) == 6
    assert Event.objects.filter(type="session.refusals").count() == 6
    assert RefusalWindow.objects.filter(event=None).count() == 0


@pytest.mark.django_db(transaction=True)
def test_no_refusal_is_lost_while_windows_are_anchored():
    def count(_: int) -> None:
        try:
            for _ in range(10):
                refusals.count("a" * 64, at=NOON)
        finally:
            connection.close()

    def anchor(_: int) -> None:
        try:
            for _ in range(10):
                anchor_refusals()
        finally:
            connection.close()

    with time_machine.travel(NOON + timedelta(minutes=60), tick=False), ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda job: job[0](job[1]), [(count, 0), (anchor, 1), (count, 2), (anchor, 3)]))
        while anchor_refusals():
            pass
    anchored = sum(event.payload["count"] for event in Event.objects.filter(type="session.refusals"))
    waiting = sum(RefusalWindow.objects.filter(event=None).values_list("count", flat=True))
    assert anchored + waiting == 20
