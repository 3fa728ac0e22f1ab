import threading
import time
from collections import Counter

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from backend.core import events
from backend.core.events import number_waiting
from backend.core.models import Event, Sequence
from tests.core.conftest import at_once, real_transactions, record
from tests.plans import walking

CHAINS = ["supply", "asset", None]


def assert_gapless(count: int) -> None:
    assert sorted(Event.objects.values_list("position", flat=True)) == list(range(1, count + 1))
    for chain in ("supply", "asset"):
        of_chain = Event.objects.filter(chain=chain).order_by("position").values_list("index", flat=True)
        assert list(of_chain) == list(range(len(of_chain))), f"{chain}: in the order of positions, without a gap"
    assert not Event.objects.filter(chain=None).exclude(index=None).exists()
    following = dict(Sequence.objects.values_list("name", "next"))
    chains = Counter(Event.objects.values_list("chain", flat=True))
    assert following == {"position": count + 1, "supply": chains["supply"], "asset": chains["asset"]}


@pytest.mark.django_db
def test_numbers_follow_the_ids_and_each_chain_counts_for_itself() -> None:
    made = [record(chain=CHAINS[n % 3])[0] for n in range(9)]
    assert number_waiting() == 9 and number_waiting() == 0
    assert list(Event.objects.order_by("position").values_list("id", flat=True)) == [event.id for event in made]
    assert_gapless(9)


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's plan")
def test_numbering_looks_at_what_waits_and_not_at_all_events() -> None:
    record(3)
    number_waiting()
    record(2)
    with CaptureQueriesContext(connection) as made:
        assert number_waiting() == 2
    assert walking(query["sql"] for query in made) == []


@pytest.mark.django_db
def test_more_than_the_limit_wait_for_the_next_call() -> None:
    record(5)
    assert [number_waiting(2) for _ in range(4)] == [2, 2, 1, 0]
    assert_gapless(5)


@real_transactions
def test_no_number_is_skipped_or_given_twice_while_many_record_and_many_number(sequences: None) -> None:
    recorded, done = 4 * 40, threading.Event()

    def record_some() -> None:
        for n in range(40):
            record(chain=CHAINS[n % 3])

    def number() -> None:
        while not done.is_set():
            number_waiting(limit=7)

    def finish() -> None:
        try:
            until = time.monotonic() + 60
            while Event.objects.exclude(position=None).count() < recorded and time.monotonic() < until:
                time.sleep(0.02)
        finally:
            done.set()

    assert at_once(*[record_some] * 4, *[number] * 4, finish) == []
    assert_gapless(recorded)


@real_transactions
def test_what_commits_late_is_numbered_later_and_leaves_no_gap(sequences: None) -> None:
    recorded, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            events.emit(type="test.happened", chain="supply", subject=("pallet", events.new_id()), by=events.SYSTEM)
            recorded.set()
            go_on.wait(10)

    def quick() -> None:
        recorded.wait(10)
        if connection.vendor == "postgresql":  # SQLite has one writer: the quick one waits for the slow one
            record(2)
            assert number_waiting() == 2
        go_on.set()

    assert at_once(slow, quick) == []
    while number_waiting():
        pass
    assert_gapless(Event.objects.count())
