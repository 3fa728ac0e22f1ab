"""A first start that was cut short is gone on with by the next; what cannot be gone on with is said in a sentence."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.core.launch.environment import DataFolder
from tests.launch.conftest import Up, processes_of, run_manage, wait_until_gone

Start = Callable[..., Up]
pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
@pytest.mark.parametrize("options", [(), ("--no-demo",)], ids=["demonstration", "own"])
def test_a_first_start_that_was_cut_short_while_it_made_tables_is_gone_on_with(
    up: Start, tmp_path: Path, how: signal.Signals, options: tuple[str, ...]
) -> None:
    folder = DataFolder(tmp_path / "var")
    first = up(folder.path, *options)
    while not folder.database.exists():
        assert first.process.poll() is None, first.text
        time.sleep(0.002)
    first.process.send_signal(how)
    first.process.wait(30)
    wait_until_gone(folder.path)
    assert "Traceback" not in first.text
    assert not (folder.keys / "ledger-supply").exists()

    second = up(folder.path, *options).wait_until_started()

    assert second.interrupt() == 0
    assert (folder.keys / "ledger-supply").exists()
    assert folder.is_demonstration is not bool(options)


def test_keys_that_no_start_left_are_one_sentence_and_start_nothing(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "var")
    folder.make()
    (folder.keys / "ledger-asset").write_text("somebody's key")

    refused = run_manage("up", "--no-demo", data_dir=folder.path)

    assert refused.returncode == 1
    assert "The ledger does not fit its keys" in refused.stderr
    assert f"already-initialised: the key {folder.keys}/ledger-asset" in refused.stderr
    assert "没有启动任何服务" in refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr
    assert (folder.keys / "ledger-asset").read_text() == "somebody's key"
    assert processes_of(folder.path) == {}
