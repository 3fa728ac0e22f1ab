"""Fixtures for all rooms. Every test has a data folder of its own; who needs the ledger asks for `ledger`."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import backend.celery  # noqa: F401 - tasks go to the configured broker


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, settings: pytest.FixtureRequest) -> Iterator[Path]:
    """A data folder with a master key, for this test alone. What the process remembers of an earlier one is forgotten."""
    from backend.core import data_keys
    from backend.evidence.selectors import ledger_origin

    ledger_origin.cache_clear()
    settings.DATA_DIR = tmp_path
    settings.LEDGER_DIR = tmp_path / "ledger"
    data_keys.create_master_key()
    yield tmp_path


@pytest.fixture
def ledger(db: None, data_dir: Path) -> Path:
    """Both chains, empty, with new keys; the folder that is published."""
    from django.core.management import call_command

    call_command("ledger", "init", stdout=io.StringIO())
    return data_dir / "ledger"


@pytest.fixture
def drain(ledger: Path) -> Callable[[], None]:
    """Does what the worker does when woken: numbers events, anchors them, lets every subscriber catch up."""
    from backend.core.tasks import advance

    return advance
