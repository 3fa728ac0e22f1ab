"""How the chains are begun: once, and to the end wherever it was cut; and what a beginning refuses to touch."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from backend.core import data_keys
from backend.core.events import number_waiting
from backend.core.models import Event
from backend.evidence import anchoring, beginning, selectors
from backend.evidence.models import Checkpoint, LedgerOrigin
from backend.evidence.published import CHAINS, PublishedChain, chain_tiles, key_path, published_size
from backend.ledger import durable
from backend.ledger.checkpoint import sign_checkpoint
from backend.ledger.errors import AlreadyInitialised, NotInitialised
from backend.ledger.merkle import EMPTY_ROOT
from backend.ledger.note import generate_signer
from tests.evidence.conftest import real_transactions
from tests.evidence.test_anchoring import Killed, race

Happen = Callable[..., list[Event]]


def test_beginning_makes_two_keys_two_origins_and_two_empty_trees(ledger: Path, data_dir: Path) -> None:
    origins = dict(LedgerOrigin.objects.values_list("chain", "origin"))
    base, _, _ = origins["supply"].partition("/")
    assert origins == {"supply": f"{base}/supply", "asset": f"{base}/asset"}
    assert (
        base.startswith("demo-") and base.endswith(".yirong.invalid") and len(base) == len("demo-.yirong.invalid") + 12
    )
    assert selectors.ledger_origin("supply") == origins["supply"]
    vkeys = set(LedgerOrigin.objects.values_list("vkey", flat=True))
    assert len(vkeys) == 2
    for chain in ("supply", "asset"):
        assert key_path(chain).stat().st_mode & 0o777 == 0o600
        assert data_dir / "ledger" not in key_path(chain).parents
        assert PublishedChain(chain).size == 0


@pytest.mark.parametrize("left", ["key", "checkpoint", "tile", "row"])
def test_beginning_refuses_when_anything_is_there(ledger: Path, data_dir: Path, left: str) -> None:
    if left != "key":
        for chain in ("supply", "asset"):
            key_path(chain).unlink()
    if left != "row":
        Checkpoint.objects.all().delete()
        LedgerOrigin.objects.all().delete()
    if left != "checkpoint":
        shutil.rmtree(ledger)
    if left == "tile":
        chain_tiles("asset").write({"tile/0/000.p/1": bytes(32)})
    before = everything(data_dir)
    with pytest.raises(CommandError, match="already-initialised"):
        call_command("ledger", "init")
    with pytest.raises(CommandError, match=r"already-initialised|key-missing"):
        call_command("ledger", "init", "--if-empty")
    assert everything(data_dir) == before


def test_beginning_if_empty_does_nothing_the_second_time(ledger: Path, data_dir: Path) -> None:
    before = everything(data_dir)
    call_command("ledger", "init", "--if-empty")
    assert everything(data_dir) == before


def test_events_without_a_ledger_are_refused_at_the_beginning(happen: Happen) -> None:
    happen(1)
    with pytest.raises(CommandError, match="events of supply"):
        call_command("ledger", "init", "--if-empty")


def test_a_process_reads_an_origin_once_and_asks_until_there_is_one(
    db: None, data_dir: Path, django_assert_num_queries: Any
) -> None:
    for _ in range(2):
        with django_assert_num_queries(1), pytest.raises(NotInitialised):
            selectors.ledger_origin("supply")
    call_command("ledger", "init")
    with django_assert_num_queries(1):
        origins = {selectors.ledger_origin("supply") for _ in range(3)}
    assert origins == {LedgerOrigin.objects.get(chain="supply").origin}


def test_the_origin_of_the_settings_is_taken_at_the_beginning(data_dir: Path, db: None, settings: Any) -> None:
    settings.LEDGER_ORIGIN = "ledger.example"
    call_command("ledger", "init")
    assert selectors.ledger_origin("asset") == "ledger.example/asset"
    call_command("ledger", "init", "--if-empty")


# --- cut short ----------------------------------------------------------------------------------------------------------------------------


def everything(data_dir: Path) -> tuple[Any, ...]:
    """All of a ledger that is kept: files with their bytes, and rows."""
    kept = [path for path in sorted(data_dir.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    return (
        {path: path.read_bytes() for path in kept},
        list(LedgerOrigin.objects.order_by("chain").values()),
        list(Checkpoint.objects.order_by("id").values()),
    )


class Cuts:
    """Counts the steps of a beginning that something rests on, and kills it before or after one of them, or in the middle of a file."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        self.at: tuple[int, str] | None = None
        for owner, name in (
            (durable, "private_folder"),
            (durable, "create_secret"),
            (durable, "write_all"),
            (durable, "rename"),
            (LedgerOrigin.objects, "create"),
            (anchoring.Checkpoints, "advance"),
        ):
            monkeypatch.setattr(owner, name, self._cutting(name, getattr(owner, name)))

    def _cutting(self, name: str, do: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **named: Any) -> Any:
            place = len(self.done)
            self.done.append(name)
            if self.at == (place, "before"):
                raise Killed
            if self.at == (place, "inside"):
                path, data = arguments
                do(path, data[: len(data) // 2])
                raise Killed
            result = do(*arguments, **named)
            if self.at == (place, "after"):
                raise Killed
            return result

        return step


@pytest.fixture
def cuts(monkeypatch: pytest.MonkeyPatch, data_dir: Path, db: None) -> Cuts:
    """On a data folder as it is before the first start: without a master key too."""
    shutil.rmtree(data_dir / "keys")
    return Cuts(monkeypatch)


CHAIN_STEPS = ["create", "advance", "write_all", "rename"]
STEPS = ["private_folder", "private_folder", *["create_secret"] * 3, *CHAIN_STEPS * 2]


def test_the_steps_of_a_beginning_are_those_that_the_tests_cut(cuts: Cuts) -> None:
    beginning.begin()
    assert cuts.done == STEPS


def _keys() -> dict[str, bytes]:
    """The whole keys of both chains, finished or in the making."""
    found = {}
    for chain in CHAINS:
        for path in (key_path(chain), key_path(chain).with_name(f"ledger-{chain}.beginning")):
            if path.exists() and path.read_bytes().endswith(b"\n"):
                found[chain] = path.read_bytes()
    return found


@pytest.mark.parametrize(
    ("step", "when"),
    [
        pytest.param(step, when, id=f"{when} {step} {name}")
        for step, name in enumerate(STEPS)
        for when in ("before", "inside", "after")
        if when != "inside" or name == "create_secret"
    ],
)
def test_a_beginning_that_was_cut_is_gone_on_with(
    cuts: Cuts, data_dir: Path, happen: Happen, step: int, when: str
) -> None:
    cuts.at = (step, when)
    with pytest.raises(Killed):
        beginning.begin()
    kept, zeros = _keys(), dict(Checkpoint.objects.values_list("chain", "note"))

    call_command("ledger", "init", "--if-empty")

    assert {chain: key for chain, key in _keys().items() if chain in kept} == kept
    assert dict(Checkpoint.objects.values_list("chain", "note")).items() >= zeros.items()
    assert sorted(Checkpoint.objects.values_list("chain", "size")) == [("asset", 0), ("supply", 0)]
    assert len({origin.rpartition("/")[0] for origin in LedgerOrigin.objects.values_list("origin", flat=True)}) == 1
    assert not list((data_dir / "keys").glob("*.beginning"))
    assert [PublishedChain(chain).size for chain in CHAINS] == [0, 0]
    happen(2)
    number_waiting()
    anchoring.drain()
    assert published_size("supply") == 2
    with pytest.raises(AlreadyInitialised):
        beginning.begin()


def test_a_beginning_cut_twice_is_gone_on_with(cuts: Cuts) -> None:
    for cut in ((3, "inside"), (8, "before"), (11, "after")):
        cuts.at = cut
        with pytest.raises(Killed):
            beginning.begin()
    cuts.at = None
    beginning.begin()
    assert [PublishedChain(chain).size for chain in CHAINS] == [0, 0]


@pytest.fixture
def broken_off(cuts: Cuts) -> str:
    """A beginning that was cut after the supply chain's empty tree was committed; the name it gave."""
    cuts.at = (STEPS.index("write_all"), "before")
    with pytest.raises(Killed):
        beginning.begin()
    cuts.at = None
    return selectors.ledger_origin("supply").rpartition("/")[0]


def _another_origin() -> None:
    LedgerOrigin.objects.update(vkey=generate_signer("elsewhere.example/supply").vkey)


def _another_checkpoint() -> None:
    stranger = generate_signer(selectors.ledger_origin("supply"))
    Checkpoint.objects.update(note=sign_checkpoint(0, EMPTY_ROOT, stranger).note)


def _a_grown_tree() -> None:
    Checkpoint.objects.create(
        chain="supply", size=1, root=bytes(32), note=b"n", previous=Checkpoint.objects.get(chain="supply")
    )


def _published(size: int, chain: str = "supply") -> None:
    signer = beginning._key_in_the_making(chain)
    assert signer
    root = EMPTY_ROOT if size == 0 else bytes(32)
    durable.write_all(chain_tiles(chain)._root, {"checkpoint": sign_checkpoint(size, root, signer).note})


FOREIGN: dict[str, tuple[Callable[[], object], str]] = {
    "another key's origin": (_another_origin, "an origin of supply"),
    "another key's checkpoint": (_another_checkpoint, "checkpoints of supply"),
    "a checkpoint of a grown tree": (_a_grown_tree, "checkpoints of supply"),
    "a published checkpoint of a grown tree": (lambda: _published(1), "a published checkpoint in"),
    "a published checkpoint without its row": (lambda: _published(0, "asset"), "a published checkpoint in"),
    "a tile": (lambda: chain_tiles("asset").write({"tile/0/000.p/1": bytes(32)}), "tiles in"),
    "a finished key": (lambda: durable.create_secret(key_path("supply"), b"x"), "the key"),
    "no key for its rows": (lambda: beginning._making_path("supply").write_bytes(b""), "an origin of supply"),
}


@pytest.mark.parametrize("foreign", FOREIGN)
def test_what_no_beginning_leaves_is_refused_beside_one_that_was_broken_off(
    broken_off: str, data_dir: Path, foreign: str
) -> None:
    put, named = FOREIGN[foreign]
    put()
    before = everything(data_dir)
    with pytest.raises(AlreadyInitialised, match=named):
        beginning.begin()
    with pytest.raises(CommandError, match="already-initialised"):
        call_command("ledger", "init", "--if-empty")
    assert everything(data_dir) == before


def test_events_are_refused_beside_a_beginning_that_was_broken_off(
    broken_off: str, data_dir: Path, happen: Happen
) -> None:
    happen(1, chain="asset")
    before = everything(data_dir)
    with pytest.raises(AlreadyInitialised, match="events of asset"):
        beginning.begin()
    assert everything(data_dir) == before


def test_a_chain_that_was_begun_beside_one_without_a_key_is_refused(cuts: Cuts, data_dir: Path) -> None:
    cuts.at = (STEPS.index("rename"), "after")
    with pytest.raises(Killed):
        beginning.begin()
    beginning._making_path("asset").unlink()
    before = everything(data_dir)
    with pytest.raises(AlreadyInitialised, match="no key of asset in the making"):
        beginning.begin()
    assert everything(data_dir) == before


def test_a_key_in_the_making_signs_nothing_but_the_empty_tree(broken_off: str) -> None:
    with pytest.raises(anchoring.NotInitialised, match="key-missing"):
        anchoring.open_log("supply")


def test_a_beginning_under_another_name_is_not_gone_on_with(broken_off: str, data_dir: Path, settings: Any) -> None:
    before = everything(data_dir)
    settings.LEDGER_ORIGIN = "ledger.example"
    with pytest.raises(CommandError, match=f"asks for ledger.example, what was begun here is called {broken_off}"):
        call_command("ledger", "init", "--if-empty")
    assert everything(data_dir) == before
    settings.LEDGER_ORIGIN = broken_off
    call_command("ledger", "init", "--if-empty")


def test_a_master_key_that_was_cut_short_is_made_anew_and_a_whole_one_is_kept(cuts: Cuts, data_dir: Path) -> None:
    cuts.at = (STEPS.index("create_secret"), "inside")
    with pytest.raises(Killed):
        beginning.begin()
    beginning.begin()
    folder = data_dir / "keys" / "master"
    newest = data_keys.newest_master(folder)
    assert [len((folder / name).read_bytes()) for name in sorted(path.name for path in folder.iterdir())] == [16, 32]
    assert len((folder / newest).read_bytes()) == 32


@real_transactions
def test_of_two_beginnings_at_once_one_begins_and_the_other_is_refused(transactional_db: None) -> None:
    raised = race(2, beginning.begin)
    assert [type(error) for error in raised] == [AlreadyInitialised]
    assert Checkpoint.objects.count() == 2
    assert [PublishedChain(chain).size for chain in CHAINS] == [0, 0]
