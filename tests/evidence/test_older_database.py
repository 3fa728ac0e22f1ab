"""A database put back from an older copy does not know the newest evidence: nothing may take that for rubbish."""

import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.db import transaction

from backend.core import clock
from backend.core.models import DataKey
from backend.evidence import services, vault
from backend.evidence.models import StoredFile, Voucher
from tests.evidence.conftest import Hand, photograph

pytestmark = pytest.mark.django_db


def files() -> dict[str, bytes]:
    """What lies in the vault, by path."""
    there = (path for path in vault.folder().rglob("*") if path.is_file())
    return {str(path.relative_to(vault.folder())): path.read_bytes() for path in there}


class Later:
    """The rows of a file that came after the copy was made, and its bytes; the database does not know them any more."""

    def __init__(self, clerk: Hand, pallet: str, drain: Callable[[], None]) -> None:
        self.data = photograph()
        point = transaction.savepoint()
        clerk.attached(self.data, pallet)
        drain()
        self.stored = Voucher.objects.latest("id").file
        self.key = self.stored.data_key
        transaction.savepoint_rollback(point)
        two_hours_ago = clock.now().timestamp() - 7200
        for path in vault.folder().rglob("*.*"):
            os.utime(path, (two_hours_ago, two_hours_ago))

    def put_back(self) -> None:
        self.key.save(force_insert=True)
        self.stored.save(force_insert=True)


@pytest.fixture
def kept(clerk: Hand, pallet: str, drain: Callable[[], None]) -> Hand:
    """Somebody who attached a file before the copy was made."""
    clerk.attached(photograph(), pallet)
    drain()
    return clerk


def test_while_the_ledger_knows_more_than_the_database_no_evidence_is_touched(
    kept: Hand, pallet: str, drain: Callable[[], None]
) -> None:
    later = Later(kept, pallet, drain)
    before = files()
    assert len(before) == 4
    assert services.collect_leftovers() == 0
    assert files() == before
    later.put_back()
    assert vault.original(later.stored) == later.data


def test_without_a_ledger_no_evidence_is_touched(clerk: Hand, data_dir: Path) -> None:
    shelf = vault.folder() / "ab"
    shelf.mkdir(parents=True)
    (shelf / f"{'ab' * 16}.original").write_bytes(b"of another database")
    os.utime(shelf / f"{'ab' * 16}.original", (0, 0))
    assert services.collect_leftovers() == 0
    assert list(files()) == [f"ab/{'ab' * 16}.original"]


@pytest.fixture
def later(kept: Hand, pallet: str, drain: Callable[[], None], ledger: Path) -> Later:
    """As if the ledger was put back from the copy too: nothing tells the database that it is old."""
    copy = ledger.with_name("copy")
    shutil.copytree(ledger, copy)
    later = Later(kept, pallet, drain)
    shutil.rmtree(ledger)
    copy.rename(ledger)
    return later


def test_what_an_older_database_does_not_know_lies_in_the_trash_and_comes_back_with_its_row(later: Later) -> None:
    before = files()
    assert services.collect_leftovers() == 1
    today = clock.now().date().isoformat()
    moved = {f"trash/{today}/{later.stored.id.hex}.{part}" for part in ("original", "view")}
    assert moved <= set(files()) and sorted(files().values()) == sorted(before.values())
    assert services.collect_leftovers() == 0

    later.put_back()
    assert services.collect_leftovers() == 0
    assert files() == before
    assert vault.original(later.stored) == later.data
    assert not list((vault.folder() / "trash").iterdir())


def test_the_trash_is_emptied_after_thirty_days_with_the_keys(later: Later) -> None:
    services.collect_leftovers()
    later.key.save(force_insert=True)
    kept = StoredFile.objects.get()
    with time_machine.travel(clock.now() + timedelta(days=29), tick=False):
        assert services.collect_leftovers() == 0
    assert DataKey.objects.filter(id=later.key.id).exists()
    with time_machine.travel(clock.now() + timedelta(days=32), tick=False):
        assert services.collect_leftovers() == 2
    assert set(files()) == set(vault.names(kept.id).values())
    assert list(DataKey.objects.filter(purpose=vault.PURPOSE)) == [kept.data_key]
    assert vault.original(kept)
