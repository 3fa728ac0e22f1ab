import io
from uuid import UUID

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command

from backend.core import events
from backend.core.events import NoSubscriber, newest_position, number_waiting, retry_failed, run_subscriber
from backend.core.ids import new_id
from backend.core.models import Cursor, Event, FailedEvent
from tests.core.conftest import Recorder, at_once, real_transactions, record

pytestmark = pytest.mark.django_db


def happened(count: int = 1, **changes: object) -> list[UUID]:
    ids = [event.id for event in record(count, **changes)]
    number_waiting()
    return ids


def cursor() -> Cursor:
    return Cursor.objects.get(name="recorder")


def run_out() -> None:
    while run_subscriber("recorder"):
        pass


def test_each_event_of_its_types_is_handed_over_once_in_order(recorder: Recorder) -> None:
    first, _, third = happened(2), happened(type="test.other"), happened(2, chain=None)
    run_out()
    run_out()
    assert recorder.handled() == first + third
    assert cursor().position == newest_position() == 5


def test_events_without_a_number_are_not_there_yet(recorder: Recorder) -> None:
    record()
    assert run_subscriber("recorder") is False and recorder.handled() == []


def test_a_hundred_or_fifty_milliseconds_of_events_are_taken_at_once(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened(120)
    monkeypatch.setattr(events, "HANDLED_SECONDS", 60)
    assert run_subscriber("recorder") is True and len(recorder.handled()) == 100
    monkeypatch.setattr(events, "HANDLED_SECONDS", -1)
    assert run_subscriber("recorder") is True and len(recorder.handled()) == 100
    monkeypatch.setattr(events, "HANDLED_SECONDS", 60)
    assert run_subscriber("recorder") is False and len(recorder.handled()) == 120


@real_transactions
def test_two_workers_at_once_handle_each_event_once(sequences: None, recorder: Recorder) -> None:
    ids = happened(150)

    def work() -> None:
        while cursor_position() < 150:
            run_subscriber("recorder")

    def cursor_position() -> int:
        return Cursor.objects.filter(name="recorder").values_list("position", flat=True).first() or 0

    assert at_once(*[work] * 3) == []
    assert recorder.handled() == ids
    assert not FailedEvent.objects.exists()


def test_a_failure_undoes_that_event_alone_and_it_is_tried_again(recorder: Recorder) -> None:
    good, bad, after = happened(3)
    recorder.broken = lambda event: event.id == bad and recorder.tried.count(bad) < 3
    run_out()
    assert recorder.handled() == [good] and (cursor().position, cursor().failures) == (1, 1)
    run_out()
    assert recorder.handled() == [good] and cursor().failures == 2
    run_out()
    assert recorder.handled() == [good, bad, after] and cursor().failures == 0
    assert not FailedEvent.objects.exists()


def test_after_five_failures_an_event_is_put_aside_and_the_others_go_on(recorder: Recorder) -> None:
    good, bad, after = happened(3)
    recorder.broken = lambda event: event.id == bad
    for _ in range(4):
        run_out()
    assert recorder.handled() == [good] and not FailedEvent.objects.exists()
    run_out()
    assert recorder.handled() == [good, after] and recorder.tried.count(bad) == 5
    failed = FailedEvent.objects.get()
    assert (failed.subscriber, failed.event_id, failed.retried_at) == ("recorder", bad, None)
    assert failed.error.startswith("RuntimeError: cannot handle")
    assert (cursor().position, cursor().failures) == (3, 0)


class Killed(BaseException):
    """The process is gone: no handler catches this."""


@real_transactions
def test_a_worker_that_dies_between_two_events_has_handled_neither(sequences: None, recorder: Recorder) -> None:
    ids = happened(3)

    def die_at_the_second(event: Event) -> bool:
        if event.id == ids[1]:
            raise Killed
        return False

    recorder.broken = die_at_the_second
    with pytest.raises(Killed):
        run_subscriber("recorder")
    assert recorder.handled() == [] and cursor().position == 0
    recorder.broken = lambda event: False
    run_out()
    assert recorder.handled() == ids


@real_transactions
def test_one_who_saw_the_cursor_before_a_failure_was_counted_leaves(
    sequences: None, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened(1)
    recorder.broken = lambda event: True
    run_subscriber("recorder")
    stale = cursor()
    run_subscriber("recorder")
    monkeypatch.setattr(Cursor.objects, "get_or_create", lambda **_: (stale, False))
    assert run_subscriber("recorder") is False
    assert cursor().failures == 2 and len(recorder.tried) == 2


@pytest.fixture
def aside(recorder: Recorder) -> FailedEvent:
    """An event that was put aside."""
    happened(1)
    recorder.broken = lambda event: True
    for _ in range(5):
        run_out()
    recorder.tried.clear()
    return FailedEvent.objects.get()


def say(*arguments: str) -> str:
    out = io.StringIO()
    call_command("failed_events", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_what_was_put_aside_is_listed_and_retried_by_hand(recorder: Recorder, aside: FailedEvent) -> None:
    assert str(aside.id) in say("list") and "RuntimeError: cannot handle" in say()
    recorder.broken = lambda event: False
    assert "handled" in say("retry", str(aside.id))
    assert recorder.handled() == [aside.event_id]
    assert say("list") == ""
    assert "was handled before" in say("retry", str(aside.id)) and len(recorder.handled()) == 1


def test_a_retry_that_fails_again_leaves_the_event_aside_and_says_so(recorder: Recorder, aside: FailedEvent) -> None:
    with pytest.raises(CommandError, match="1 of 1 failed again"):
        say("retry", "--all")
    aside.refresh_from_db()
    assert aside.retried_at is None and recorder.handled() == [] and recorder.tried == [aside.event_id]


def test_a_retry_of_what_was_never_put_aside_is_refused(recorder: Recorder) -> None:
    with pytest.raises(CommandError, match="never put aside"):
        say("retry", str(new_id()))


def test_a_retry_for_a_subscriber_that_is_no_more_changes_nothing(aside: FailedEvent) -> None:
    FailedEvent.objects.update(subscriber="gone")
    with pytest.raises(NoSubscriber):
        retry_failed(aside.id)
    aside.refresh_from_db()
    assert aside.retried_at is None


@real_transactions
def test_two_retries_at_once_hand_an_event_over_once(
    sequences: None, recorder: Recorder, request: pytest.FixtureRequest
) -> None:
    failed = request.getfixturevalue("aside")
    recorder.broken = lambda event: False
    said: list[bool] = []
    assert at_once(*[lambda: said.append(retry_failed(failed.id))] * 2) == []
    assert sorted(said) == [False, True] and Group.objects.count() == 1
