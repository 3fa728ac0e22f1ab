import subprocess
import sys
from pathlib import Path

import httpx

from backend.core.launch.environment import ROOT
from backend.ledger import policy
from tests.flows.story import Story
from tests.phone import Json, Phone
from tests.stack import Product, wait_until


def published_key(product: Product, chain: str = "supply") -> str:
    """The chain's key as the published policy names it."""
    with product.client() as client:
        logs = policy.parse(client.get("/ledger/policy").text).logs
    return next(log.vkey for log in logs if log.name.endswith(f"/{chain}"))


def verify_offline(product: Product, anchor: Json, folder: Path) -> subprocess.CompletedProcess[str]:
    """Fetches proof and leaf of an event and checks them in a process that has neither settings nor network nor database."""
    with product.client() as client:
        proof, leaf = (client.get(anchor["proof_url"].removesuffix("proof") + name) for name in ("proof", "leaf"))
    assert proof.status_code == leaf.status_code == 200
    (folder / "proof").write_bytes(proof.content)
    (folder / "leaf").write_bytes(leaf.content)
    command = [sys.executable, "-m", "backend.ledger", "verify-proof", "proof", "--entry", "leaf"]
    return subprocess.run(
        [*command, "--log", published_key(product)],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
    )


def anchored(phone: Phone, event: str) -> Json:
    return wait_until(
        lambda: (anchor := phone.get(f"/api/v1/events/{event}/")[1]["anchor"])["state"] == "anchored" and anchor,
        "the event is anchored",
    )


def test_a_signed_delivery_is_on_the_chain_without_asking_and_its_proof_verifies_offline(
    stack: Product, story: Story, tmp_path: Path
) -> None:
    delivery = story.delivery()
    with stack.live(token=story.clerk.token) as phone, stack.live(token=story.seller.token) as other_side:
        receipt = story.received(delivery)
        assert receipt["state"] == "SIGNED" and receipt["location"]["within"] is True
        assert receipt["anchor"]["state"] in ("waiting", "on_chain")
        event = receipt["anchor"]["event"]
        told = phone.wait_for("event.on_chain", event=event)
        assert told["chain"] == "supply" and told["subject"] == receipt["id"]
        assert other_side.wait_for("event.on_chain", event=event)["index"] == told["index"]
        phone.wait_for("event.anchored", event=event)
    anchor = story.clerk.get(f"/api/v1/receipts/{receipt['id']}/")[1]["anchor"]
    assert (anchor["state"], anchor["index"]) == ("anchored", told["index"])
    checked = verify_offline(stack, anchor, tmp_path)
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.startswith(f"ok: index {told['index']} of {story.clerk.session['origin']}, ")


def test_a_proof_does_not_verify_for_a_leaf_in_which_one_byte_was_changed(
    stack: Product, story: Story, tmp_path: Path
) -> None:
    order = story.signed(story.issued())
    anchor = anchored(story.clerk, order["signatures"][0]["anchor"]["event"])
    assert verify_offline(stack, anchor, tmp_path).returncode == 0
    leaf = bytearray((tmp_path / "leaf").read_bytes())
    leaf[-3] ^= 1
    (tmp_path / "leaf").write_bytes(leaf)
    command = [sys.executable, "-m", "backend.ledger", "verify-proof", "proof", "--entry", "leaf"]
    command += ["--log", published_key(stack)]
    forged = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert forged.returncode == 1 and forged.stderr


def test_a_repeat_of_a_receipt_is_the_same_receipt(story: Story) -> None:
    delivery = story.delivery()
    act = story.clerk.receipt_act(delivery, capture=story.clerk.capture())
    first = story.clerk.sign("/api/v1/receipts/", act)
    again = story.clerk.sign("/api/v1/receipts/", act)
    assert first[0] == again[0] == 201 and first[1]["id"] == again[1]["id"]
    _, page = story.clerk.get("/api/v1/receipts/")
    assert [
        one["despatch"]["id"] if isinstance(one["despatch"], dict) else one["despatch"] for one in page["results"]
    ].count(delivery["id"]) == 1


def test_the_outside_world_follows_the_tree_by_consistency_proofs(stack: Product, story: Story) -> None:
    with stack.client() as client:
        before = int(client.get("/ledger/supply/checkpoint").text.splitlines()[1])
        anchored(story.clerk, story.signed(story.issued())["signatures"][0]["anchor"]["event"])
        after = int(client.get("/ledger/supply/checkpoint").text.splitlines()[1])
        assert after > before
        proof: httpx.Response = client.get("/ledger/supply/consistency", params={"from": before, "to": after})
        assert proof.status_code == 200 and proof.text
