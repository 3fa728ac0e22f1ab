"""What the engine promises: commit by compare-and-swap, refusals before anything is signed, and who may publish."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from backend.ledger import merkle
from backend.ledger.checkpoint import open_checkpoint, sign_checkpoint
from backend.ledger.errors import (
    AlreadyInitialised,
    CheckpointWrong,
    Fatal,
    JournalWrong,
    NotInitialised,
    OutcomeUnknown,
    PublishedForked,
    PublishedLarger,
    PublishedUnreadable,
    Rewritten,
    RightEdgeMissing,
    RightEdgeWrong,
    Stale,
)
from backend.ledger.log import Log
from backend.ledger.note import ED25519, Signer
from backend.ledger.tiles import FolderTiles
from tests.ledger.homes import SIGNER, Home, entry


def root_at(size: int) -> bytes:
    return merkle.root_of([merkle.leaf_hash(entry(index)) for index in range(size)])


def published_size(home: Home) -> int:
    note = home.tiles.published()
    assert note is not None
    return open_checkpoint(note, SIGNER.verifier).size


def test_draining_commits_what_waits_and_publishing_shows_it(home: Home) -> None:
    zero = home.log.init()
    assert (zero.size, zero.root) == (0, merkle.EMPTY_ROOT)
    assert home.log.publish_latest() == zero
    assert home.log.drain() is None

    home.journal.count = 700
    first = home.log.drain(512)
    assert first is not None
    assert (first.size, first.root) == (512, root_at(512))
    assert published_size(home) == 0
    second = home.log.drain(512)
    assert second is not None
    assert (second.size, second.root) == (700, root_at(700))
    assert home.log.drain(512) is None
    assert home.log.publish_latest() == second
    assert home.tiles.published() == second.note


@pytest.mark.parametrize("step", [1, 2, 3, 255, 256, 257, 1024])
def test_the_root_does_not_depend_on_the_size_of_the_batches(home: Home, step: int) -> None:
    home.log.init()
    home.journal.count = 3 if step == 1 else 1030
    while home.log.drain(step):
        pass
    assert home.checkpoints.rows[-1].root == root_at(home.journal.count)
    for row in home.checkpoints.rows:
        assert row.root == root_at(row.size)


def test_a_log_that_was_never_initialised_signs_nothing(home: Home) -> None:
    home.journal.count = 3
    for action in (home.log.drain, home.log.check, home.log.publish_latest):
        with pytest.raises(NotInitialised):
            action()
    assert home.checkpoints.rows == []
    assert home.tiles.empty()


def test_a_log_begins_once(home: Home) -> None:
    home.grow_to(3)
    with pytest.raises(AlreadyInitialised):
        home.log.init()
    home.checkpoints.rows.clear()
    with pytest.raises(AlreadyInitialised):
        home.log.init()
    (home.folder / "checkpoint").unlink()
    with pytest.raises(AlreadyInitialised):
        home.log.init()
    assert home.checkpoints.rows == []


def test_an_old_copy_of_the_table_is_refused(home: Home) -> None:
    home.grow_to(3)
    old = list(home.checkpoints.rows)
    home.grow_to(5)
    home.checkpoints.rows = old
    home.journal.count = 9
    refused(home, PublishedLarger, "published size 5, committed size 3")
    with pytest.raises(PublishedLarger):
        home.log.publish_latest()
    assert published_size(home) == 5


def refused(home: Home, error: type[Fatal], text: str) -> None:
    """Every way to grow refuses, and neither the table nor the published file changed."""
    rows, published = list(home.checkpoints.rows), home.tiles.published()
    with pytest.raises(error, match=text):
        home.log.check()
    with pytest.raises(error, match=text):
        home.log.drain()
    assert (home.checkpoints.rows, home.tiles.published()) == (rows, published)


def test_a_published_fork_is_refused_at_the_same_size_and_below(home: Home) -> None:
    home.grow_to(5)
    home.tiles.publish(sign_checkpoint(5, root_at(4), SIGNER).note)
    home.journal.count = 9
    refused(home, PublishedForked, "size 5")
    home.tiles.publish(sign_checkpoint(4, root_at(3), SIGNER).note)
    refused(home, PublishedForked, "size 4")
    with pytest.raises(PublishedForked):
        home.log.publish_latest()


@pytest.mark.parametrize(
    "note",
    [b"", b"garbage", sign_checkpoint(3, root_at(3), Signer("example.com/testlog", ED25519, b"\x07" * 32)).note],
)
def test_a_published_file_that_is_damaged_or_of_another_key_is_refused(home: Home, note: bytes) -> None:
    home.grow_to(3)
    home.tiles.publish(note)
    refused(home, PublishedUnreadable, r"example\.com/testlog")


def test_a_smaller_published_file_is_published_again(home: Home) -> None:
    home.grow_to(3)
    home.journal.count = 5
    home.log.drain()
    assert published_size(home) == 3
    assert home.log.publish_latest().size == 5
    assert published_size(home) == 5
    (home.folder / "checkpoint").unlink()
    home.log.publish_latest()
    assert published_size(home) == 5


@pytest.mark.parametrize(
    ("size", "path"),
    [
        (5, "tile/0/000.p/5"),
        (5, "tile/entries/000.p/5"),
        (256, "tile/1/000.p/1"),
        (600, "tile/0/002.p/88"),
        (600, "tile/1/000.p/2"),
        (600, "tile/entries/002.p/88"),
    ],
)
def test_a_right_edge_that_is_missing_or_wrong_is_refused(home: Home, size: int, path: str) -> None:
    home.grow_to(size)
    home.journal.count = size + 10
    file = home.folder / path
    good = file.read_bytes()
    for damaged in (good[:-1], good + b"\x00", good[:-1] + bytes([good[-1] ^ 1]), b""):
        file.write_bytes(damaged)
        refused(home, RightEdgeWrong, str(size))
    file.unlink()
    refused(home, RightEdgeMissing, path)


def test_a_row_that_says_something_else_than_its_signed_note_is_refused(home: Home) -> None:
    good = home.grow_to(3)
    home.journal.count = 9
    for row in (
        replace(good, size=2),
        replace(good, root=root_at(2)),
        replace(good, note=good.note[:-2] + b"\n"),
        replace(good, note=sign_checkpoint(3, good.root, Signer("other", ED25519, b"\x07" * 32)).note),
    ):
        home.checkpoints.rows[-1] = row
        refused(home, CheckpointWrong, f"size {row.size}")


def test_a_row_of_another_tree_is_refused_though_it_is_signed(home: Home) -> None:
    home.grow_to(3)
    (home.folder / "checkpoint").unlink()
    home.checkpoints.rows[-1] = sign_checkpoint(3, root_at(2), SIGNER)
    refused(home, RightEdgeWrong, root_at(2).hex())


def test_entries_that_no_bundle_can_hold_and_too_many_are_refused_before_anything_is_written(home: Home) -> None:
    home.grow_to(3)
    home.journal.count = 5
    home.journal.make = lambda index: b"x" * 65_536
    refused_entries(home, "entry 3 has 65536 bytes")
    home.journal.make = lambda index: b"x" * 65_535
    assert home.log.drain(1) is not None
    home.journal.leaves = lambda start, limit: [b"x"] * (limit + 1)  # type: ignore[method-assign]
    refused_entries(home, "at most 10")


def refused_entries(home: Home, text: str) -> None:
    rows = list(home.checkpoints.rows)
    with pytest.raises(JournalWrong, match=text):
        home.log.drain(10)
    assert home.checkpoints.rows == rows


def test_what_a_crash_left_above_the_committed_size_is_overwritten(home: Home) -> None:
    home.grow_to(3)
    for path in ("tile/0/000.p/5", "tile/entries/000.p/5", "tile/0/000", "tile/entries/000"):
        home.tiles.write({path: b"left by a crash"})
    home.grow_to(5)
    home.grow_to(300)
    assert home.log.check().root == root_at(300)


class PausedTiles(FolderTiles):
    """The files of a worker that falls asleep just before it writes them."""

    while_asleep: Callable[[], object]

    def write(self, files: Mapping[str, bytes]) -> None:
        self.while_asleep()
        super().write(files)


def test_of_two_drains_on_one_table_the_second_is_stale(home: Home) -> None:
    home.grow_to(3)
    home.journal.count = 10
    tiles = PausedTiles(home.folder)
    tiles.while_asleep = lambda: home.grow_to(12)
    late = Log(home.journal, home.checkpoints, tiles, SIGNER)
    with pytest.raises(Stale):
        late.drain(4)
    assert [row.size for row in home.checkpoints.rows] == [0, 3, 12]
    assert home.another_worker().check().root == root_at(12)


def test_other_bytes_for_a_file_wholly_below_the_committed_size_are_fatal(home: Home) -> None:
    """A worker that is late, and whose journal tells another story, must not touch what was committed meanwhile."""
    home.grow_to(3)
    lying = Home(home.folder)
    lying.checkpoints = home.checkpoints

    def leaves(start: int, limit: int) -> list[bytes]:
        home.grow_to(10)
        return [b"another story"] * 7

    lying.journal.leaves = leaves  # type: ignore[method-assign]
    log = Log(lying.journal, lying.checkpoints, lying.tiles, SIGNER)
    with pytest.raises(Rewritten, match=r"tile/entries/000\.p/10"):
        log.drain(7)
    assert b"another story" not in home.tiles.read("tile/entries/000.p/10")
    assert home.another_worker().check().root == root_at(10)


def test_many_drains_at_once_never_make_two_roots_for_a_size_nor_lose_an_entry(home: Home) -> None:
    home.log.init()
    home.journal.count = 900
    errors: list[BaseException] = []

    def work() -> None:
        log = home.another_worker()
        try:
            while True:
                try:
                    if log.drain(37) is None:
                        return
                except Stale:
                    continue
                finally:
                    log.publish_latest()
        except BaseException as error:  # handed to the main thread below
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    sizes = [row.size for row in home.checkpoints.rows]
    assert sizes == sorted(set(sizes))
    assert all(row.root == root_at(row.size) for row in home.checkpoints.rows)
    assert (sizes[-1], published_size(home)) == (900, 900)


def test_a_worker_that_wakes_up_late_never_replaces_a_newer_published_checkpoint(home: Home) -> None:
    """It fell asleep between its commit and its turn to publish; meanwhile others went on."""
    home.grow_to(3)
    late = home.another_worker()
    home.journal.count = 5
    assert late.drain() is not None
    home.grow_to(9)
    assert late.publish_latest().size == 9
    assert published_size(home) == 9


def test_publishing_waits_for_the_lock_and_then_reads_the_table_again(home: Home) -> None:
    home.grow_to(3)
    home.journal.count = 5
    late = home.another_worker()
    late.drain()
    result: list[int] = []
    thread = threading.Thread(target=lambda: result.append(late.publish_latest().size))
    with home.tiles.publishing():
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
        home.journal.count = 9
        home.log.drain()
        home.tiles.publish(home.checkpoints.rows[-1].note)
    thread.join(10)
    assert result == [9]
    assert published_size(home) == 9


def test_a_commit_and_publication_between_the_two_reads_of_a_check_is_no_refusal(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.grow_to(3)
    moved: list[bool] = []

    def then_another_worker_moves_on(read: Callable[[], Any]) -> Callable[[], Any]:
        def first_read() -> Any:
            result = read()
            if not moved:
                moved.append(True)
                home.grow_to(8)
            return result

        return first_read

    monkeypatch.setattr(home.checkpoints, "latest", then_another_worker_moves_on(home.checkpoints.latest))
    monkeypatch.setattr(home.tiles, "published", then_another_worker_moves_on(home.tiles.published))
    assert home.log.check().size == 8


class ConnectionLost(Exception):
    pass


def lose_connection() -> None:
    raise ConnectionLost("server closed the connection")


def test_a_commit_that_failed_but_persisted_is_found_by_reading_again(home: Home) -> None:
    home.grow_to(3)
    home.journal.count = 5
    home.checkpoints.after = lose_connection
    new = home.log.drain()
    assert new is not None
    assert new.size == 5
    assert home.checkpoints.rows[-1] == new


def test_a_commit_that_failed_is_tried_again_and_nothing_was_shown(home: Home) -> None:
    home.grow_to(3)
    home.journal.count = 5
    home.checkpoints.before = lose_connection
    with pytest.raises(OutcomeUnknown, match="size 5") as failure:
        home.log.drain()
    assert isinstance(failure.value.__cause__, ConnectionLost)
    assert (home.checkpoints.rows[-1].size, home.log.publish_latest().size) == (3, 3)
    home.checkpoints.before = lambda: None
    home.journal.count = 4
    assert home.grow_to(4).root == root_at(4)


def test_a_log_is_as_large_after_many_small_drains_as_its_journal(home: Home) -> None:
    home.log.init()
    for size in (*range(1, 8), *range(250, 262), *range(510, 516)):
        assert home.grow_to(size).root == root_at(size)
        assert home.log.check().size == size
