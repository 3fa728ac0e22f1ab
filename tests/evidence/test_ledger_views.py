import base64
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from backend.core.events import number_waiting
from backend.core.ids import new_id
from backend.core.models import Event
from backend.evidence import anchoring
from backend.evidence.models import LedgerOrigin
from backend.evidence.published import chain_tiles, key_path, published_size
from backend.ledger import policy
from backend.ledger.checkpoint import open_checkpoint
from backend.ledger.errors import TileMissing
from backend.ledger.merkle import range_hash, verify_consistency
from backend.ledger.note import parse_verifier
from backend.ledger.proof import verify_proof
from backend.ledger.tiles import TileTree

Happen = Callable[..., list[Event]]


class OverHttp:
    """The tiles as an outsider reads them."""

    def __init__(self, client: Client, chain: str = "supply") -> None:
        self.client, self.chain = client, chain

    def read(self, path: str) -> bytes:
        answer = self.client.get(f"/ledger/{self.chain}/{path}")
        if answer.status_code == 404:
            raise TileMissing(path)
        assert answer.status_code == 200
        return bytes(answer.content)


def test_an_outsider_verifies_a_proof_with_nothing_but_what_is_published(
    client: Client, tmp_path: Path, happen: Happen, drain: Callable[[], None]
) -> None:
    events = happen(5)
    drain()
    log, _ = policy.parse(client.get("/ledger/policy").content.decode()).logs
    proof = client.get(f"/ledger/supply/events/{events[3].id}/proof")
    leaf = client.get(f"/ledger/supply/events/{events[3].id}/leaf").content
    assert proof["Content-Type"] == "text/plain; charset=utf-8"
    verified = verify_proof(proof.content, leaf, log)
    assert (verified.index, verified.checkpoint.size) == (3, 5)
    assert leaf == bytes(events[3].leaf)

    (tmp_path / "leaf").write_bytes(leaf)
    (tmp_path / "event.tlog-proof").write_bytes(proof.content)
    command = [
        sys.executable,
        "-m",
        "backend.ledger",
        "verify-proof",
        "event.tlog-proof",
        "--entry",
        "leaf",
        "--log",
        log.vkey,
    ]
    root = Path(__file__).parents[2]
    without_django = {"PYTHONPATH": str(root)}
    done = subprocess.run(command, cwd=tmp_path, env=without_django, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "leaf").write_bytes(leaf.replace(b"supply", b"supplY"))
    assert subprocess.run(command, cwd=tmp_path, env=without_django, capture_output=True, check=False).returncode == 1


def test_a_waiting_event_has_no_proof_yet_and_says_when_to_ask_again(
    client: Client, ledger: Path, happen: Happen
) -> None:
    (event,) = happen(1)
    for prepare in (lambda: None, number_waiting, lambda: anchoring.open_log("supply").drain()):
        prepare()
        for what in ("proof", "leaf"):
            answer = client.get(f"/ledger/supply/events/{event.id}/{what}")
            assert answer.status_code == 404
            assert answer["Content-Type"] == "application/problem+json"
            assert answer.json()["code"] == "not-published"
            assert int(answer["Retry-After"]) > 0
    anchoring.drain()
    assert client.get(f"/ledger/supply/events/{event.id}/proof").status_code == 200


def test_an_unknown_event_and_one_of_the_other_chain_are_not_there(
    client: Client, happen: Happen, drain: Callable[[], None]
) -> None:
    (event,) = happen(1)
    drain()
    for path in (f"supply/events/{new_id()}/proof", f"asset/events/{event.id}/proof", f"moon/events/{event.id}/proof"):
        answer = client.get(f"/ledger/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_the_published_tree_can_be_computed_from_its_tiles(
    client: Client, happen: Happen, drain: Callable[[], None]
) -> None:
    happen(300)
    drain()
    vkey = LedgerOrigin.objects.get(chain="supply").vkey
    answer = client.get("/ledger/supply/checkpoint")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert "immutable" not in answer["Cache-Control"]
    checkpoint = open_checkpoint(answer.content, parse_verifier(vkey))
    assert checkpoint.size == 300
    assert range_hash(TileTree(OverHttp(client), 300).node, 0, 300) == checkpoint.root
    tile = client.get("/ledger/supply/tile/0/000")
    assert len(tile.content) == 8192
    assert tile["Content-Type"] == "application/octet-stream"
    assert tile["Cache-Control"] == "public, max-age=31536000, immutable"
    assert client.get("/ledger/supply/tile/entries/001.p/44").status_code == 200


def test_growth_is_proven_consistent(client: Client, happen: Happen, drain: Callable[[], None]) -> None:
    checkpoints = []
    for count in (3, 4):
        happen(count)
        drain()
        vkey = LedgerOrigin.objects.get(chain="supply").vkey
        checkpoints.append(open_checkpoint(client.get("/ledger/supply/checkpoint").content, parse_verifier(vkey)))
    old, new = checkpoints
    answer = client.get(f"/ledger/supply/consistency?from={old.size}&to={new.size}")
    lines = answer.content.decode().splitlines()
    assert verify_consistency(3, 7, [base64.b64decode(line) for line in lines], old.root, new.root)


@pytest.mark.parametrize(
    "asked", ["", "from=1", "from=2&to=1", "from=0&to=99", "from=-1&to=1", "from=01&to=1", "from=x&to=1", "from=&to="]
)
def test_a_malformed_consistency_request_is_refused(
    client: Client, happen: Happen, drain: Callable[[], None], asked: str
) -> None:
    happen(2)
    drain()
    answer = client.get(f"/ledger/supply/consistency?{asked}")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


@pytest.mark.parametrize(
    "path",
    [
        "supply/tile/../../keys/ledger-supply",
        "supply/tile/0/../../../../keys/ledger-supply",
        "supply/tile/%2e%2e/%2e%2e/keys/ledger-supply",
        "supply/tile/0/000/../../checkpoint",
        "supply/tile//etc/passwd",
        "supply/tile/0/000.p/0",
        "supply/tile/0/000.p/256",
        "supply/tile/00/000",
        "supply/tile/0/0",
        "supply/tile/entries/.publishing",
        "supply/.publishing",
        "supply/ledger-supply",
        "keys/checkpoint",
        "..%2fkeys/checkpoint",
        "supply%2f..%2fasset/checkpoint",
    ],
)
def test_no_path_leads_out_of_what_is_published(
    client: Client, happen: Happen, drain: Callable[[], None], path: str
) -> None:
    happen(2)
    drain()
    answer = client.get(f"/ledger/{path}")
    assert answer.status_code == 404
    assert b"PRIVATE" not in answer.content
    assert key_path("supply").read_bytes().startswith(b"PRIVATE")


def test_tiles_above_the_published_size_are_not_served(client: Client, ledger: Path, happen: Happen) -> None:
    """What a crash left there may be written again with other bytes, and readers keep tiles for ever."""
    happen(2)
    number_waiting()
    anchoring.open_log("supply").drain()
    assert published_size("supply") == 0
    assert chain_tiles("supply").read("tile/0/000.p/2")
    assert client.get("/ledger/supply/tile/0/000.p/2").status_code == 404
    anchoring.drain()
    assert client.get("/ledger/supply/tile/0/000.p/2").status_code == 200
    assert client.get("/ledger/supply/tile/entries/000.p/2").status_code == 200


def test_nothing_is_handed_out_that_would_not_verify(
    client: Client, happen: Happen, drain: Callable[[], None], ledger: Path
) -> None:
    events = happen(3)
    drain()
    tile = ledger / "supply" / "tile" / "0" / "000.p" / "3"
    tile.write_bytes(bytes(96))
    answer = client.get(f"/ledger/supply/events/{events[0].id}/proof")
    assert (answer.status_code, answer.json()["code"]) == (503, "ledger-unreadable")


def test_a_leaf_is_not_served_under_another_events_name(
    client: Client, happen: Happen, drain: Callable[[], None]
) -> None:
    first, second = happen(2)
    drain()
    Event.objects.filter(id=first.id).update(index=9)
    Event.objects.filter(id=second.id).update(index=0)
    answer = client.get(f"/ledger/supply/events/{second.id}/leaf")
    assert (answer.status_code, answer.json()["code"]) == (503, "ledger-unreadable")


def test_the_ledger_is_read_only(client: Client, ledger: Path) -> None:
    assert client.post("/ledger/supply/checkpoint").status_code == 405
