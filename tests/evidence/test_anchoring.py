import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connection, transaction
from django.db.utils import IntegrityError

from backend.core import push
from backend.core.events import number_waiting
from backend.core.ids import typed
from backend.core.models import Event
from backend.evidence import anchoring, selectors
from backend.evidence.models import Checkpoint, DrainLease
from backend.evidence.published import PublishedChain, key_path, published_size
from backend.evidence.refusals import refused
from backend.ledger import fsck
from backend.ledger.errors import JournalWrong, NotInitialised, OutcomeUnknown, PublishedLarger
from backend.ledger.log import Log
from backend.ledger.note import generate_signer
from tests.evidence.conftest import real_transactions

Happen = Callable[..., list[Event]]


def entries(chain: str = "supply") -> list[bytes]:
    """What the published folder holds, after all of it was verified."""
    published = PublishedChain(chain)
    fsck.verify(published.tiles, published.verifier)
    return [published.entry(index) for index in range(published.size)]


def state(event: Event) -> str:
    return selectors.anchors([event.id])[event.id]["state"]


def test_an_event_waits_is_committed_and_is_anchored(ledger: Path, happen: Happen) -> None:
    (event,) = happen()
    assert state(event) == "waiting"
    number_waiting()
    assert state(event) == "waiting"
    anchoring.open_log("supply").drain()
    assert selectors.anchors([event.id])[event.id] == {
        "event": typed("event", event.id),
        "state": "on_chain",
        "chain": "supply",
        "index": 0,
        "proof_url": None,
    }
    anchoring.drain()
    anchored = selectors.anchors([event.id])[event.id]
    assert (anchored["state"], anchored["proof_url"]) == ("anchored", f"/ledger/supply/events/{event.id}/proof")


def test_events_of_both_chains_go_to_their_own_ledger_and_the_others_to_none(
    happen: Happen, drain: Callable[[], None]
) -> None:
    supply, asset, none = happen(2), happen(1, chain="asset"), happen(1, chain=None, sections={})
    drain()
    assert entries("supply") == [bytes(event.leaf) for event in supply]
    assert entries("asset") == [bytes(event.leaf) for event in asset]
    assert state(none[0]) == "waiting"


def test_anchors_are_found_with_one_query(
    happen: Happen, drain: Callable[[], None], django_assert_num_queries: Callable[[int], Any]
) -> None:
    events = happen(5) + happen(2, chain="asset")
    drain()
    with django_assert_num_queries(1):
        found = selectors.anchors(event.id for event in events)
    assert {one["state"] for one in found.values()} == {"anchored"}


def test_an_idle_ledger_signs_nothing(happen: Happen, drain: Callable[[], None]) -> None:
    happen(3)
    drain()
    before = Checkpoint.objects.count()
    drain()
    drain()
    assert Checkpoint.objects.count() == before


def test_the_audience_is_told_when_the_event_is_on_chain_and_anchored(
    happen: Happen, drain: Callable[[], None], monkeypatch: pytest.MonkeyPatch, clerk: Any
) -> None:
    told: list[push.Push] = []
    monkeypatch.setattr(push, "push_all", told.extend)
    firm = clerk.member.organisation_id
    (event,) = happen(1, audience=[firm], subject=("voucher", clerk.member.id))
    told.clear()
    drain()
    ids = {
        "event": typed("event", event.id),
        "chain": "supply",
        "index": 0,
        "subject": typed("voucher", clerk.member.id),
    }
    assert told == [push.Push((firm,), "event.on_chain", ids), push.Push((firm,), "event.anchored", ids)]


def test_many_events_at_once_are_told_in_one_word(
    happen: Happen, drain: Callable[[], None], monkeypatch: pytest.MonkeyPatch, clerk: Any
) -> None:
    monkeypatch.setattr(anchoring, "TOLD_EACH", 4)
    told: list[push.Push] = []
    monkeypatch.setattr(push, "push_all", told.extend)
    firm = clerk.member.organisation_id
    happen(5, audience=[firm])
    told.clear()
    drain()
    assert told == [push.Push((firm,), "ledger.advanced", {"chain": "supply", "size": 5})] * 2


def race(count: int, work: Callable[[], None]) -> list[Exception]:
    raised: list[Exception] = []
    gate = threading.Barrier(count)

    def run() -> None:
        gate.wait()
        try:
            work()
        except Exception as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


@pytest.mark.parametrize("leased", [True, False], ids=["with the lease", "as if the lease had failed"])
@real_transactions
def test_two_drains_at_once_anchor_each_event_once(
    sequences: None, ledger: Path, happen: Happen, monkeypatch: pytest.MonkeyPatch, leased: bool
) -> None:
    monkeypatch.setattr(anchoring, "DRAINED_AT_ONCE", 16)
    if not leased:
        monkeypatch.setattr(anchoring, "_claim", lambda chain: anchoring.new_id())
    events = happen(300)
    number_waiting()
    raised = race(3, anchoring.drain)
    assert raised == []
    for _ in range(3):  # whoever lost a race stopped; the next beat carries on
        anchoring.drain()
    ordered = Event.objects.filter(chain="supply").order_by("index").values_list("leaf", flat=True)
    assert entries() == [bytes(leaf) for leaf in ordered]
    assert len(entries()) == len(events)
    sizes = list(Checkpoint.objects.filter(chain="supply").order_by("size").values_list("size", "previous__size"))
    assert [previous for _, previous in sizes[1:]] == [size for size, _ in sizes[:-1]]


@real_transactions
def test_events_recorded_while_a_drain_runs_are_drained_too(
    sequences: None, ledger: Path, happen: Happen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker came, found the lease taken and left: whoever holds it looks again after letting go."""
    happen(1)
    number_waiting()
    release = anchoring._release

    def late(chain: str, holder: Any) -> None:
        if Event.objects.count() == 1:
            happen(1)
            number_waiting()
            anchoring.drain()
        release(chain, holder)

    monkeypatch.setattr(anchoring, "_release", late)
    anchoring.drain()
    assert published_size("supply") == 2


def test_a_lease_that_a_killed_worker_left_runs_out(
    ledger: Path, happen: Happen, monkeypatch: pytest.MonkeyPatch
) -> None:
    happen(1)
    number_waiting()
    assert anchoring._claim("supply") is not None
    anchoring.drain()
    assert published_size("supply") == 0
    now = anchoring.clock.now()
    monkeypatch.setattr(anchoring.clock, "now", lambda: now + anchoring.LEASE)
    anchoring.drain()
    assert published_size("supply") == 1


class Killed(BaseException):
    """Stands for kill -9: nothing handles it, nothing is tidied up."""


def test_a_drain_killed_between_commit_and_publication_is_resumed(
    ledger: Path, happen: Happen, monkeypatch: pytest.MonkeyPatch, clerk: Any
) -> None:
    firm = clerk.member.organisation_id
    (event,) = happen(1, audience=[firm])
    number_waiting()

    def kill(self: Log) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(Log, "publish_latest", kill)
        dying.setattr(anchoring, "_release", lambda chain, holder: None)
        with pytest.raises(Killed):
            anchoring.drain()
    assert state(event) == "on_chain"
    assert published_size("supply") == 0

    DrainLease.objects.update(until=anchoring.clock.now())
    told: list[str] = []
    monkeypatch.setattr(push, "push_all", lambda news: told.extend(one.kind for one in news))
    anchoring.drain()
    assert entries() == [bytes(event.leaf)]
    assert Checkpoint.objects.filter(chain="supply").count() == 2
    assert told == ["event.anchored"]


def test_a_drain_killed_before_the_commit_is_repeated(
    ledger: Path, happen: Happen, monkeypatch: pytest.MonkeyPatch
) -> None:
    happen(2)
    number_waiting()

    def kill(*args: Any) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(anchoring.Checkpoints, "advance", kill)
        with pytest.raises(Killed):
            anchoring.drain()
    happen(1)
    number_waiting()
    anchoring.drain()
    assert len(entries()) == 3


def test_a_commit_that_failed_but_happened_is_found_by_reading_again(
    ledger: Path, happen: Happen, monkeypatch: pytest.MonkeyPatch
) -> None:
    happen(2)
    number_waiting()
    advance = anchoring.Checkpoints.advance

    def persisted_but_failed(self: Any, old: Any, new: Any) -> None:
        advance(self, old, new)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(anchoring.Checkpoints, "advance", persisted_but_failed)
    anchoring.drain()
    assert len(entries()) == 2


def test_a_commit_that_did_not_happen_is_tried_again_later(
    ledger: Path, happen: Happen, monkeypatch: pytest.MonkeyPatch
) -> None:
    happen(2)
    number_waiting()

    def failed(self: Any, old: Any, new: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as broken:
        broken.setattr(anchoring.Checkpoints, "advance", failed)
        with pytest.raises(OutcomeUnknown):
            anchoring.open_log("supply").drain()
        anchoring.drain()
    assert published_size("supply") == 0
    anchoring.drain()
    assert len(entries()) == 2


def test_a_fork_cannot_be_inserted(ledger: Path, happen: Happen, drain: Callable[[], None]) -> None:
    happen(1)
    drain()
    zero = Checkpoint.objects.get(chain="supply", size=0)
    for fork in (
        {"size": 1, "previous": zero},
        {"size": 2, "previous": zero},
        {"size": 2, "previous": None},
        {"size": 0, "previous": None},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Checkpoint.objects.create(chain="supply", root=b"r" * 32, note=b"n", **fork)


def test_a_removed_event_stops_the_ledger_rather_than_leaving_a_gap(ledger: Path, happen: Happen) -> None:
    events = happen(3)
    number_waiting()
    Event.objects.filter(id=events[1].id).update(index=None)
    with pytest.raises(JournalWrong):
        anchoring.open_log("supply").drain()


def test_a_database_older_than_the_published_files_is_refused(
    ledger: Path, happen: Happen, drain: Callable[[], None]
) -> None:
    happen(1)
    drain()
    Checkpoint.objects.filter(chain="supply", size=1).delete()
    with pytest.raises(PublishedLarger):
        anchoring.open_log("supply").drain()
    anchoring.drain()
    assert not Checkpoint.objects.filter(chain="supply", size__gt=0).exists()


def test_another_origin_in_the_settings_refuses_to_start_and_to_drain(
    ledger: Path, happen: Happen, settings: Any
) -> None:
    happen(1)
    number_waiting()
    settings.LEDGER_ORIGIN = "ledger.example"
    with pytest.raises(anchoring.OriginChanged):
        anchoring.open_log("supply")
    anchoring.drain()
    with pytest.raises(CommandError, match="origin-changed"):
        call_command("ledger", "init", "--if-empty")
    assert published_size("supply") == 0
    assert Checkpoint.objects.filter(size__gt=0).count() == 0


def test_another_key_than_the_databases_refuses_to_drain(ledger: Path, happen: Happen) -> None:
    happen(1)
    number_waiting()
    signer = generate_signer(selectors.ledger_origin("supply"))
    key_path("supply").write_text(signer.skey)
    with pytest.raises(anchoring.OriginChanged):
        anchoring.open_log("supply")
    anchoring.drain()
    assert published_size("supply") == 0
    assert Checkpoint.objects.filter(size__gt=0).count() == 0


def test_before_the_beginning_nothing_is_drained_and_the_refusal_says_so(db: None, happen: Happen) -> None:
    happen(1)
    number_waiting()
    DrainLease.objects.create(chain="supply")
    with pytest.raises(NotInitialised):
        anchoring.open_log("supply")
    anchoring.drain()
    assert not Checkpoint.objects.exists()
    assert [refusal.code for refusal in refused()] == ["not-initialised"]


def test_the_metrics_tell_sizes_and_what_waits(client: Any, happen: Happen, drain: Callable[[], None]) -> None:
    happen(3)
    drain()
    happen(2)
    text = client.get("/metrics").content.decode()
    assert 'yirong_ledger_size{chain="supply"} 3.0' in text
    assert 'yirong_ledger_published_size{chain="supply"} 3.0' in text
    assert 'yirong_ledger_waiting{chain="supply"} 2.0' in text
