"""Every call that reaches the disk fails once, in every way: before it had its effect, after it, and by a kill."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.ledger import durable, fsck
from backend.ledger.errors import OutcomeUnknown, Retryable
from tests.ledger.homes import SIGNER, Home
from tests.ledger.test_log import published_size, root_at

CALLS = ("open", "write", "fsync", "replace", "mkdir")


class Killed(BaseException):
    """Nothing of this process happens after this."""


class Faults:
    """Stands in for `os` inside the module; the call with the number `strike` fails in the way of `mode`."""

    def __init__(self) -> None:
        self.count = 0
        self.strike = 0
        self.mode = ""
        self.dead = False
        self.struck = False

    def arm(self, strike: int) -> None:
        self.count, self.strike, self.dead = 0, strike, False

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def faulty(*arguments: Any, **options: Any) -> Any:
            if self.dead:
                raise Killed
            self.count += 1
            if self.count != self.strike:
                return call(*arguments, **options)
            self.struck = True
            if self.mode == "failed":
                raise OSError(errno.EIO, "injected")
            if self.mode == "short write" and call is os.write:
                return call(arguments[0], bytes(arguments[1])[: max(1, len(arguments[1]) // 2)])
            result = call(*arguments, **options)
            if self.mode == "failed but persisted":
                if call is os.open:
                    os.close(result)
                raise OSError(errno.EIO, "injected")
            if self.mode == "killed":
                self.dead = True
                raise Killed
            return result

        return faulty


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Faults:
    faults = Faults()
    broken = types.SimpleNamespace(**{name: getattr(os, name) for name in dir(os) if not name.startswith("__")})
    for name in CALLS:
        setattr(broken, name, faults.wrap(getattr(os, name)))
    monkeypatch.setattr(durable, "os", broken)
    return faults


def attempt(home: Home, size: int) -> None:
    """One run of a worker, to its end or to the injected fault."""
    home.journal.count = size
    with contextlib.suppress(OSError, Retryable, Killed):
        home.log.drain()
        home.log.publish_latest()


def every_strike(tmp_path: Path, faults: Faults, mode: str, start: int, end: int) -> int:
    """Grow from start to end once for each call on the way, which fails; twice in a row at the same place; then whole."""
    strike = 0
    while True:
        strike += 1
        faults.arm(0)
        faults.mode, faults.struck = mode, False
        durable._settled.clear()
        home = Home(tmp_path / f"{mode}-{start}-{end}-{strike}".replace(" ", "-"))
        home.grow_to(start)
        for _twice in range(2):
            faults.arm(strike)
            attempt(home, end)
            size = home.checkpoints.rows[-1].size
            assert size in (start, end)
            assert published_size(home) in (start, size)
        faults.arm(0)
        assert home.grow_to(end).root == root_at(end)
        assert fsck.verify(home.tiles, SIGNER.verifier).size == end
        if not faults.struck:
            return strike - 1


@pytest.mark.parametrize("mode", ["failed", "failed but persisted", "killed", "short write"])
@pytest.mark.parametrize(("start", "end"), [(0, 1), (254, 255), (254, 256), (255, 257), (256, 258), (254, 258)])
def test_a_fault_at_any_call_loses_nothing_and_forks_nothing(
    tmp_path: Path, faults: Faults, mode: str, start: int, end: int
) -> None:
    assert every_strike(tmp_path, faults, mode, start, end) >= 10


def test_a_fault_may_be_followed_by_another_size(tmp_path: Path, faults: Faults) -> None:
    """The first attempt writes files for 257, dies, and the next one goes to 255 and to 300 instead."""
    for strike in range(1, 60):
        faults.arm(0)
        faults.mode = "killed"
        home = Home(tmp_path / str(strike))
        home.grow_to(254)
        faults.arm(strike)
        attempt(home, 257)
        faults.arm(0)
        committed = home.checkpoints.rows[-1].size
        for size in (255, 300):
            if size > committed:
                assert home.grow_to(size).root == root_at(size)
        assert fsck.verify(home.tiles, SIGNER.verifier).size == 300


@pytest.mark.parametrize("persisted", [False, True])
@pytest.mark.parametrize("end", [255, 256, 257, 258])
def test_an_unknown_commit_across_a_tile_border_is_settled_by_the_table(home: Home, persisted: bool, end: int) -> None:
    home.grow_to(254)

    def lose() -> None:
        raise ConnectionError("lost")

    if persisted:
        home.checkpoints.after = lose
    else:
        home.checkpoints.before = lose
    for _twice in range(2):
        home.journal.count = end
        try:
            home.log.drain()
        except OutcomeUnknown:
            assert not persisted
    home.checkpoints.before = home.checkpoints.after = lambda: None
    assert home.checkpoints.rows[-1].size == (end if persisted else 254)
    assert home.grow_to(end + 1).root == root_at(end + 1)
    fsck.verify(home.tiles, SIGNER.verifier)


def test_everything_is_flushed_before_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file is flushed under its temporary name, then renamed, then its folder is flushed, then comes the commit."""
    home = Home(tmp_path / "log")
    home.grow_to(255)
    durable._settled.clear()
    history: list[tuple[str, str]] = []
    names: dict[int, str] = {}
    recorder = types.SimpleNamespace(**{name: getattr(os, name) for name in dir(os) if not name.startswith("__")})

    def record_open(path: Any, *rest: Any) -> int:
        descriptor = os.open(path, *rest)
        names[descriptor] = str(path)
        return descriptor

    def record_fsync(descriptor: int) -> None:
        os.fsync(descriptor)
        history.append(("flush", names[descriptor]))

    def record_replace(source: str, target: str) -> None:
        os.replace(source, target)
        history.append(("rename", source))
        history.append(("appear", target))

    recorder.open, recorder.fsync, recorder.replace = record_open, record_fsync, record_replace
    monkeypatch.setattr(durable, "os", recorder)
    home.checkpoints.before = lambda: history.append(("commit", ""))
    home.journal.count = 300
    home.log.drain()
    commit = history.index(("commit", ""))
    appeared = [at for at, (event, _path) in enumerate(history) if event == "appear"]
    assert {history[at][1].removeprefix(f"{home.folder}/") for at in appeared} == {
        "tile/entries/000",
        "tile/entries/001.p/44",
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
    }
    for at in appeared:
        temporary, target = history[at - 1][1], history[at][1]
        assert ("flush", temporary) in history[:at]
        flushed = history.index(("flush", os.path.dirname(target)), at)
        assert at < flushed < commit
        folder = os.path.dirname(target)
        while folder != str(tmp_path):
            folder = os.path.dirname(folder)
            assert ("flush", folder) in history[:at], "the entry of a new folder is not durable by itself"


def test_a_failed_write_leaves_no_temporary_file(tmp_path: Path, faults: Faults) -> None:
    durable.write_all(tmp_path, {"tile/0/000": b"old"})
    faults.mode = "failed"
    for strike in range(1, 8):
        faults.arm(strike)
        with contextlib.suppress(OSError):
            durable.write_all(tmp_path, {"tile/0/000": b"new", "tile/0/001": b"new"})
        assert {path.name for path in (tmp_path / "tile/0").iterdir()} <= {"000", "001"}
        assert (tmp_path / "tile/0/000").read_bytes() in (b"old", b"new")


def test_a_full_disk_is_an_error_that_nothing_swallows(tmp_path: Path, faults: Faults) -> None:
    faults.mode, faults.strike = "failed", 1
    with pytest.raises(OSError, match="injected"):
        durable.write_all(tmp_path, {"tile/0/000": b"new"})


def test_a_secret_is_readable_by_its_owner_only_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    old = os.umask(0)
    try:
        durable.create_secret(path, b"secret\n")
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        durable.create_secret(path, b"another\n")
    assert path.read_bytes() == b"secret\n"


def test_published_files_are_readable_by_the_web_server(home: Home) -> None:
    home.grow_to(3)
    assert stat.S_IMODE((home.folder / "checkpoint").stat().st_mode) & 0o444 == 0o444 & ~current_umask()


def current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
