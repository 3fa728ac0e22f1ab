import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError

from backend.core.sqlite3 import base

pytestmark = pytest.mark.django_db  # the database of these tests is a file of their own


@pytest.fixture
def keeping(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process that keeps one connection, and has kept none yet."""
    monkeypatch.setattr(base, "_kept", [])
    monkeypatch.setattr(base, "_limit", 1)
    yield
    for connection in base._kept:
        connection.close()


@pytest.fixture
def wrapper(tmp_path: Path) -> Any:
    from django.db import connections

    wanted = {**connections.databases["default"], "ENGINE": "backend.core.sqlite3", "NAME": str(tmp_path / "db")}
    wanted["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA synchronous=FULL;"}

    def make() -> base.DatabaseWrapper:
        return base.DatabaseWrapper(wanted, "kept")

    return make


def raw_of(wrapper: base.DatabaseWrapper) -> Any:
    with wrapper.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        assert cursor.fetchone() == (2,), "as durable as a new one"
    return wrapper.connection


def test_a_closed_connection_serves_the_next_thread(keeping: None, wrapper: Any) -> None:
    seen: list[Any] = []

    def request() -> None:
        own = wrapper()
        seen.append(raw_of(own))
        own.close()

    for _ in range(3):
        thread = threading.Thread(target=request)
        thread.start()
        thread.join()
    assert seen[0] is seen[1] is seen[2]


def test_two_at_once_have_one_each_and_only_as_many_are_kept_as_asked(keeping: None, wrapper: Any) -> None:
    one, other = wrapper(), wrapper()
    assert raw_of(one) is not raw_of(other)
    one.close()
    other.close()
    assert len(base._kept) == 1


def test_what_a_request_left_open_or_broken_is_given_to_nobody(keeping: None, wrapper: Any) -> None:
    left_open = wrapper()
    raw_of(left_open).execute("BEGIN IMMEDIATE")
    left_open.close()
    broken = wrapper()
    with pytest.raises(DatabaseError), broken.wrap_database_errors, broken.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")
    assert broken.errors_occurred
    broken.close()
    assert base._kept == []


def test_a_process_that_was_not_told_to_keeps_none(wrapper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "_kept", [])
    one = wrapper()
    raw_of(one)
    one.close()
    assert base._kept == []
