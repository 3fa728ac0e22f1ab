"""One folder holds all state: where it may lie, what it is marked as, and what a reset deletes."""

import io
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from backend.core.launch import start
from backend.core.launch.environment import LONGEST_SOCKET_PATH, DataFolder
from backend.core.launch.refusal import StartRefused
from tests.launch.conftest import Up, run_manage


def test_a_folder_that_cannot_be_written_is_one_sentence() -> None:
    refused = run_manage("up", "--data-dir", "/sys/yirong")

    assert refused.returncode == 1
    assert "The data folder /sys/yirong cannot be written" in refused.stderr
    assert "不可写" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_file_in_place_of_the_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("mine")

    refused = run_manage("up", "--data-dir", str(tmp_path / "var"))

    assert refused.returncode == 1
    assert "cannot be written" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert (tmp_path / "var").read_text() == "mine"


def mode(path: Path) -> str:
    return oct(path.stat().st_mode & 0o7777)


def test_a_folder_that_a_start_makes_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "var")
    folder.make()

    made = {path.name: mode(path) for path in (folder.path, *folder.path.iterdir())}
    assert made == dict.fromkeys(("var", "keys", "logs", "run", "files", "uploads"), "0o700")
    assert folder.open_to_others == []


def test_of_a_started_folder_others_can_read_what_is_published_and_nothing_else(made: Path) -> None:
    published = {made / "ledger", made / "static"}
    private = [path for path in made.iterdir() if path not in published and path.name != "demonstration"]

    assert mode(made) == "0o700"
    assert {"keys", "logs", "run", "files", "uploads", "yirong.sqlite3", "demo.json"} <= {one.name for one in private}
    assert [path for path in private if path.stat().st_mode & 0o077] == []


@pytest.mark.parametrize("command", [("migrate", "--verbosity", "0"), ("shell", "-c", "")])
def test_a_command_before_the_first_start_makes_nothing_that_others_can_read(
    tmp_path: Path, command: tuple[str]
) -> None:
    done = run_manage(*command, data_dir=tmp_path / "var")

    assert done.returncode == 0, done.stderr
    assert mode(tmp_path / "var") == "0o700"
    assert [path for path in (tmp_path / "var").iterdir() if path.stat().st_mode & 0o077] == []


def test_what_an_earlier_start_left_open_is_closed(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "var")
    folder.make()
    folder.ledger.mkdir()
    for path in (folder.path, folder.logs, folder.files, folder.ledger):
        path.chmod(0o755)
    for path in folder.database_files:
        path.write_bytes(b"rows")
        path.chmod(0o644)

    folder.make()

    assert [mode(path) for path in (folder.logs, folder.files)] == ["0o700"] * 2
    assert [mode(path) for path in folder.database_files] == ["0o600"] * 4
    assert (mode(folder.path), mode(folder.ledger)) == ("0o711", "0o755")
    assert folder.open_to_others == []


def test_others_may_be_let_through_to_the_published_ledger(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "var")
    folder.make()
    folder.path.chmod(0o711)

    folder.make()

    assert mode(folder.path) == "0o711"
    assert folder.open_to_others == []


def test_a_folder_that_everybody_shares_is_named_and_keeps_its_mode(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "shared")
    folder.path.mkdir()
    folder.path.chmod(0o1777)

    folder.make()

    said = io.StringIO()
    start._name_what_others_can_read(Console(file=said), folder)
    assert said.getvalue() == f"! 他人可以读取 Others can read {folder.path}\n"
    assert mode(folder.path) == "0o1777"
    assert mode(folder.keys) == "0o700"


def test_a_long_path_gets_a_short_private_socket_that_can_be_bound(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / ("深" * 40))
    folder.make()
    path = folder.socket("valkey.sock")
    try:
        assert len(os.fsencode(path)) <= LONGEST_SOCKET_PATH
        assert oct(path.parent.stat().st_mode & 0o777) == "0o700"
        assert path == DataFolder(folder.path).socket("valkey.sock")
        assert path != DataFolder(tmp_path / ("深" * 41)).socket("valkey.sock")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
    finally:
        shutil.rmtree(path.parent)


def test_a_socket_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / ("深" * 42))
    prepared = folder.socket("valkey.sock").parent
    try:
        prepared.chmod(0o755)
        with pytest.raises(StartRefused, match="not private"):
            folder.socket("valkey.sock")
    finally:
        prepared.rmdir()


def test_a_start_works_where_the_path_is_long(up: Callable[..., Up], demonstration: Path) -> None:
    data_dir = demonstration.rename(demonstration.with_name("仓" * 40))
    started = up(data_dir).wait_until_started()

    assert started.interrupt() == 0
    shutil.rmtree(DataFolder(data_dir).socket("valkey.sock").parent)


@pytest.fixture
def own_data(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "own")
    folder.make()
    folder.database.write_bytes(b"somebody's records")
    return folder


def test_a_demonstration_is_not_written_into_own_data(own_data: DataFolder) -> None:
    refused = run_manage("up", data_dir=own_data.path)

    assert refused.returncode == 1
    assert "holds data that is no demonstration" in refused.stderr
    assert own_data.database.read_bytes() == b"somebody's records"


def test_a_reset_deletes_nothing_that_is_not_marked_as_a_demonstration(own_data: DataFolder) -> None:
    refused = run_manage("up", "--reset-demo", data_dir=own_data.path)

    assert refused.returncode == 1
    assert "not marked as a demonstration" in refused.stderr
    assert own_data.database.read_bytes() == b"somebody's records"


def test_own_data_is_not_kept_in_a_demonstration(demonstration: Path) -> None:
    refused = run_manage("up", "--no-demo", data_dir=demonstration)

    assert refused.returncode == 1
    assert "holds the demonstration" in refused.stderr


@pytest.fixture
def elsewhere(demonstration: Path, tmp_path: Path) -> Path:
    """The demonstration's database, taken out of its folder."""
    return (demonstration / "yirong.sqlite3").rename(tmp_path / "elsewhere.sqlite3")


def test_a_reset_leaves_alone_a_database_that_lies_elsewhere(demonstration: Path, elsewhere: Path) -> None:
    before = elsewhere.read_bytes(), sorted(demonstration.rglob("*"))

    refused = run_manage("up", "--reset-demo", data_dir=demonstration, DATABASE_URL=f"sqlite:///{elsewhere}")

    assert refused.returncode == 1
    assert "outside the data folder" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert (elsewhere.read_bytes(), sorted(demonstration.rglob("*"))) == before


def test_a_reset_needs_a_database_that_answers(demonstration: Path) -> None:
    before = sorted(demonstration.rglob("*"))
    nowhere = f"sqlite:///{demonstration}/nowhere/records.sqlite3"

    refused = run_manage("up", "--reset-demo", data_dir=demonstration, DATABASE_URL=nowhere)

    assert refused.returncode == 1
    assert "The database cannot be used" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert sorted(demonstration.rglob("*")) == before


def test_an_emptied_database_elsewhere_is_noticed_and_a_reset_begins_anew_with_it(
    up: Callable[..., Up], demonstration: Path, elsewhere: Path
) -> None:
    key = (demonstration / "keys" / "ledger-supply").read_bytes()
    (demonstration / "uploads" / "part").write_text("of a file that was on its way")
    elsewhere.unlink()
    database = {"DATABASE_URL": f"sqlite:///{elsewhere}"}

    refused = run_manage("up", data_dir=demonstration, **database)
    assert refused.returncode == 1
    assert "The database is empty" in refused.stderr
    assert "数据库是空的" in refused.stderr
    assert "--reset-demo begins a demonstration anew" in refused.stderr
    assert (demonstration / "keys" / "ledger-supply").read_bytes() == key

    started = up(demonstration, "--reset-demo", **database).wait_until_started()
    assert started.interrupt() == 0
    assert "写入演示数据" in started.text
    assert (demonstration / "keys" / "ledger-supply").read_bytes() != key
    assert list((demonstration / "uploads").iterdir()) == []
    assert not (demonstration / "yirong.sqlite3").exists()
    again = up(demonstration, **database).wait_until_started()
    assert again.interrupt() == 0
    assert "写入演示数据" not in again.text


def test_a_reset_starts_the_demonstration_anew_and_leaves_what_it_did_not_make(
    up: Callable[..., Up], demonstration: Path
) -> None:
    (demonstration / "notes.txt").write_text("mine")
    key = (demonstration / "keys" / "django").read_text()
    before = (demonstration / "yirong.sqlite3").stat().st_ino

    started = up(demonstration, "--reset-demo").wait_until_started()

    assert "写入演示数据" in started.text
    assert started.interrupt() == 0
    assert (demonstration / "notes.txt").read_text() == "mine"
    assert (demonstration / "keys" / "django").read_text() != key
    assert (demonstration / "yirong.sqlite3").stat().st_ino != before
    assert DataFolder(demonstration).is_demonstration
