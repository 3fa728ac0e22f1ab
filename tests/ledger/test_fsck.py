from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from backend.ledger import fsck
from backend.ledger.checkpoint import sign_checkpoint
from backend.ledger.errors import Fault
from backend.ledger.note import generate_signer
from backend.ledger.tiles import FolderTiles, pack_entries
from tests.ledger.homes import SIGNER, Home, entry
from tests.ledger.test_log import root_at


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("original") / "log")
    for size in (3, 260, 600):
        home.grow_to(size)
    return home


@pytest.fixture
def folder(original: Home, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original.folder, tmp_path / "copy"))


def fault_of(folder: Path) -> str:
    with pytest.raises(Fault) as fault:
        fsck.verify(FolderTiles(folder), SIGNER.verifier)
    return str(fault.value)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 512, 600])
def test_a_whole_folder_verifies(home: Home, size: int) -> None:
    checkpoint = home.grow_to(size)
    assert fsck.verify(home.tiles, SIGNER.verifier) == checkpoint


def test_a_flipped_bit_in_any_tile_is_found_and_the_file_is_named(folder: Path) -> None:
    files = [
        path for path in folder.rglob("*") if path.is_file() and "/tile/" in str(path) and "entries" not in str(path)
    ]
    assert len(files) == 7
    for file in files:
        good = file.read_bytes()
        for at in (0, len(good) // 2, len(good) - 1):
            file.write_bytes(good[:at] + bytes([good[at] ^ 4]) + good[at + 1 :])
            assert fault_of(folder).startswith(f"tile-wrong: {file.relative_to(folder)} ")
        file.write_bytes(good)


def test_a_flipped_bit_in_any_bundle_is_found_and_the_file_is_named(folder: Path) -> None:
    files = [path for path in (folder / "tile/entries").rglob("*") if path.is_file()]
    assert len(files) == 5
    for file in files:
        good = file.read_bytes()
        for at in (0, 1, 2, len(good) // 2, len(good) - 1):
            file.write_bytes(good[:at] + bytes([good[at] ^ 4]) + good[at + 1 :])
            assert fault_of(folder).startswith(f"bundle-wrong: {file.relative_to(folder)}")
        file.write_bytes(good)


def test_a_changed_entry_is_named_by_its_index(folder: Path) -> None:
    entries = [entry(index) for index in range(256, 512)]
    entries[44] = b"forged"
    (folder / "tile/entries/001").write_bytes(pack_entries(entries))
    (folder / "tile/entries/001.p/4").unlink()
    assert fault_of(folder) == "bundle-wrong: tile/entries/001, entry 44, index 300"


@pytest.mark.parametrize("end", [b"garbage", None])
def test_bytes_added_to_or_cut_from_any_file_are_found(folder: Path, end: bytes | None) -> None:
    for file in [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]:
        good = file.read_bytes()
        file.write_bytes(good + end if end else good[:-1])
        assert "wrong" in fault_of(folder)
        file.write_bytes(good)


def test_a_missing_file_is_named_and_a_missing_partial_with_its_full_tile_is_not_missed(folder: Path) -> None:
    for path, fault in (
        ("tile/0/001", "tile-missing: tile/0/001"),
        ("tile/1/000.p/2", "tile-missing: tile/1/000.p/2"),
        ("tile/0/002.p/88", "tile-missing: tile/0/002.p/88"),
        ("tile/entries/000", "bundle-missing: tile/entries/000"),
        ("tile/entries/002.p/88", "bundle-missing: tile/entries/002.p/88"),
        ("checkpoint", "checkpoint-missing"),
    ):
        good = (folder / path).read_bytes()
        (folder / path).unlink()
        assert fault_of(folder).startswith(fault)
        (folder / path).write_bytes(good)
    for path in ("tile/0/000.p/3", "tile/entries/000.p/3", "tile/0/001.p/4"):
        (folder / path).unlink()
    assert fsck.verify(FolderTiles(folder), SIGNER.verifier).size == 600


def test_a_bundle_and_its_tile_changed_together_do_not_give_the_signed_root(folder: Path) -> None:
    forged = Home(folder.parent / "forged")
    forged.journal.make = lambda index: b"forged" if index == 300 else entry(index)
    forged.grow_to(600)
    shutil.copytree(forged.folder / "tile", folder / "tile", dirs_exist_ok=True)
    shutil.rmtree(folder / "tile/entries/001.p")
    shutil.rmtree(folder / "tile/0/001.p")
    assert fault_of(folder).startswith("root-wrong: the entries give ")


def test_a_checkpoint_that_is_damaged_foreign_or_of_another_tree_is_named(folder: Path) -> None:
    note = folder / "checkpoint"
    good = note.read_bytes()
    for at in range(0, len(good), 7):
        note.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        assert fault_of(folder).startswith("checkpoint-wrong")
    note.write_bytes(sign_checkpoint(600, root_at(600), generate_signer("example.com/testlog")).note)
    assert fault_of(folder).startswith("checkpoint-wrong")
    note.write_bytes(sign_checkpoint(600, root_at(599), SIGNER).note)
    assert fault_of(folder).startswith("root-wrong")


def test_what_a_crash_left_above_the_published_size_is_not_looked_at(folder: Path) -> None:
    (folder / "tile/0/002.p/99").write_bytes(b"left by a crash")
    (folder / "tile/0/003").write_bytes(b"left by a crash")
    (folder / "tile/entries/002.p/99").write_bytes(b"left by a crash")
    assert fsck.verify(FolderTiles(folder), SIGNER.verifier).size == 600
