"""What a chain refuses: seen wherever somebody looks, no hindrance to the other chain, forgotten when it goes through again."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from structlog.testing import capture_logs

from backend.core.events import number_waiting
from backend.core.models import Event
from backend.evidence import anchoring, tasks
from backend.evidence.models import Checkpoint, Refusal
from backend.evidence.published import PublishedChain, key_path, published_size
from backend.ledger import durable

Happen = Callable[..., list[Event]]
pytestmark = pytest.mark.django_db


@contextmanager
def elsewhere(path: Path) -> Iterator[None]:
    """Meanwhile the file or folder is gone."""
    away = path.with_name(f"{path.name}.away")
    path.rename(away)
    try:
        yield
    finally:
        if path.is_dir():
            shutil.rmtree(path)
        away.rename(path)


@contextmanager
def damaged(path: Path) -> Iterator[None]:
    whole = path.read_bytes()
    path.write_bytes(b"\xff" + whole[1:])
    try:
        yield
    finally:
        path.write_bytes(whole)


@contextmanager
def renamed(settings: Any) -> Iterator[None]:
    settings.LEDGER_ORIGIN = "ledger.example"
    try:
        yield
    finally:
        settings.LEDGER_ORIGIN = ""


@contextmanager
def older(chain: str) -> Iterator[None]:
    """Meanwhile the database is one from before the newest checkpoint."""
    newest = Checkpoint.objects.filter(chain=chain).order_by("-size")[0]
    Checkpoint.objects.filter(id=newest.id).delete()
    try:
        yield
    finally:
        newest.save(force_insert=True)


BREAKS: dict[str, Callable[[Path, Any], Any]] = {
    "key-missing": lambda ledger, settings: elsewhere(key_path("supply")),
    "key-invalid": lambda ledger, settings: damaged(key_path("supply")),
    "origin-changed": lambda ledger, settings: renamed(settings),
    "right-edge-missing": lambda ledger, settings: elsewhere(ledger / "supply"),
    "right-edge-wrong": lambda ledger, settings: damaged(ledger / "supply/tile/0/000.p/2"),
    "published-unreadable": lambda ledger, settings: damaged(ledger / "supply/checkpoint"),
    "published-larger": lambda ledger, settings: older("supply"),
}
broken = pytest.mark.parametrize("code", BREAKS)


@pytest.fixture
def grown(happen: Happen, drain: Callable[[], None]) -> None:
    """Both chains with something in them, published."""
    happen(2)
    happen(1, chain="asset")
    drain()


def health() -> tuple[int, dict[str, str]]:
    answer = Client().get("/healthz")
    return answer.status_code, {name: state for name, state in answer.json().items() if name.startswith("ledger-")}


def gauges() -> list[str]:
    return [line for line in Client().get("/metrics").text.splitlines() if line.startswith("yirong_ledger_refused")]


SOUND = (200, {"ledger-supply": "ok", "ledger-asset": "ok"})


@broken
def test_a_refusal_is_seen_although_nothing_waits_and_ends_by_itself(
    grown: None, ledger: Path, settings: Any, code: str
) -> None:
    assert health() == SOUND
    with BREAKS[code](ledger, settings):
        tasks.check_ledger()
        status, chains = health()
        assert (status, chains["ledger-supply"]) == (503, code)
        assert chains["ledger-asset"] == ("origin-changed" if code == "origin-changed" else "ok")
        assert 'yirong_ledger_refused{chain="supply"} 1.0' in gauges()
    tasks.check_ledger()
    assert health() == SOUND
    assert gauges() == ['yirong_ledger_refused{chain="supply"} 0.0', 'yirong_ledger_refused{chain="asset"} 0.0']


@pytest.mark.parametrize("code", [code for code in BREAKS if code != "origin-changed"])
def test_what_one_chain_refuses_does_not_hold_up_the_other(
    grown: None, ledger: Path, settings: Any, happen: Happen, drain: Callable[[], None], code: str
) -> None:
    before = list(Checkpoint.objects.filter(chain="supply").values())
    with BREAKS[code](ledger, settings):
        signed = list(Checkpoint.objects.filter(chain="supply").values())
        happen(1)
        happen(1, chain="asset")
        drain()
        assert PublishedChain("asset").size == 2
        assert health() == (503, {"ledger-supply": code, "ledger-asset": "ok"})
        assert list(Checkpoint.objects.filter(chain="supply").values()) == signed
    assert list(Checkpoint.objects.filter(chain="supply").values()) == before
    drain()
    assert health() == SOUND
    assert PublishedChain("supply").size == 3


def test_a_disk_that_fails_is_a_refusal_of_its_chain_alone(
    grown: None, happen: Happen, drain: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_all = durable.write_all

    def full(root: Path, files: Any) -> None:
        if root.name == "supply":
            raise OSError(28, "No space left on device")
        write_all(root, files)

    happen(1)
    happen(1, chain="asset")
    with monkeypatch.context() as disk:
        disk.setattr(durable, "write_all", full)
        drain()
    assert published_size("asset") == 2
    assert health() == (503, {"ledger-supply": "disk-failed", "ledger-asset": "ok"})
    drain()
    assert health() == SOUND


def test_what_only_a_drain_can_find_stays_until_a_drain_goes_through(
    grown: None, happen: Happen, drain: Callable[[], None]
) -> None:
    (event, _) = happen(2)
    number_waiting()
    Event.objects.filter(id=event.id).update(index=None)
    drain()
    assert health()[1]["ledger-supply"] == "journal-wrong"
    tasks.check_ledger()
    assert health()[1]["ledger-supply"] == "journal-wrong"
    Event.objects.filter(id=event.id).update(index=2)
    drain()
    assert health() == SOUND


def test_a_refusal_is_said_in_the_log_once_with_its_beginning(
    grown: None, ledger: Path, happen: Happen, drain: Callable[[], None]
) -> None:
    happen(1)
    with capture_logs() as logs, elsewhere(key_path("supply")):
        drain()
        began = Refusal.objects.get().since
        drain()
        tasks.check_ledger()
        assert Refusal.objects.get().since == began
    drain()
    assert [(line["event"], line["log_level"]) for line in logs if "ledger" in line["event"]] == [
        ("ledger refused", "error"),
    ]
    assert not Refusal.objects.exists()


def test_another_refusal_takes_the_place_of_the_first(grown: None, ledger: Path, settings: Any) -> None:
    with elsewhere(key_path("supply")):
        tasks.check_ledger()
    with elsewhere(ledger / "supply"):
        tasks.check_ledger()
        assert health()[1]["ledger-supply"] == "right-edge-missing"


def test_the_health_page_says_a_code_and_nothing_more(grown: None, ledger: Path) -> None:
    with elsewhere(key_path("supply")):
        tasks.check_ledger()
        page = Client().get("/healthz").text
    assert "key-missing" in page
    assert str(ledger.parent) not in page


@broken
def test_the_command_names_the_chain_and_ends_with_an_error(
    grown: None, ledger: Path, settings: Any, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with BREAKS[code](ledger, settings), pytest.raises(CommandError, match=f"supply: {code}: "):
        call_command("ledger", "check")
    capsys.readouterr()
    call_command("ledger", "check")
    assert capsys.readouterr().out == "supply: ok\nasset: ok\n"


def test_people_read_where_their_events_stand_while_what_is_published_is_damaged(
    ledger: Path, happen: Happen, drain: Callable[[], None]
) -> None:
    (event,) = happen(1)
    drain()
    with damaged(ledger / "supply/checkpoint"):
        from backend.evidence.selectors import anchors

        assert anchors([event.id])[event.id]["state"] == "on_chain"
        assert Client().get("/metrics").status_code == 200
        assert Client().get("/ledger/supply/tile/0/000.p/1").status_code == 404


def test_without_anything_begun_both_chains_refuse(db: None) -> None:
    assert {chain: error.code for chain, error in anchoring.check().items()} == {
        "supply": "not-initialised",
        "asset": "not-initialised",
    }
