"""A start looks at the ledger before it serves anything, however often the folder was started before."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.core.launch.environment import DataFolder
from tests.launch.conftest import processes_of, run_manage

pytestmark = pytest.mark.timeout(300)
ANCHOR = "from backend.core.tasks import advance; advance()"
BREAKS: dict[str, tuple[Callable[[DataFolder], object], dict[str, str]]] = {
    "origin-changed": (lambda folder: None, {"LEDGER_ORIGIN": "other.example"}),
    "key-missing": (lambda folder: (folder.keys / "ledger-supply").unlink(), {}),
    "key-invalid": (lambda folder: (folder.keys / "ledger-asset").write_text("another"), {}),
    "right-edge-missing": (lambda folder: shutil.rmtree(folder.ledger), {}),
}


@pytest.fixture
def anchored(demonstration: Path) -> DataFolder:
    """A demonstration with events in its published ledger."""
    done = run_manage("shell", "-c", ANCHOR, data_dir=demonstration)
    assert done.returncode == 0, done.stderr
    assert (demonstration / "ledger" / "supply" / "tile").exists()
    return DataFolder(demonstration)


@pytest.mark.parametrize("code", BREAKS)
def test_a_start_that_does_not_find_its_ledger_is_one_sentence_and_starts_nothing(
    anchored: DataFolder, code: str
) -> None:
    put, environ = BREAKS[code]
    put(anchored)

    refused = run_manage("up", data_dir=anchored.path, **environ)

    assert refused.returncode == 1
    said = refused.stderr.strip().splitlines()
    assert len(said) == 2, refused.stderr
    assert "账本" in said[0]
    assert "没有启动任何服务" in said[0]
    assert "nothing was started" in said[1]
    assert all(f"{code}: " in sentence for sentence in said)
    assert "启动服务" not in refused.stdout
    assert processes_of(anchored.path) == {}
