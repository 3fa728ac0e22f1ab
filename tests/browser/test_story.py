"""The main job in two windows: a phone signs, the ledger anchors, the dashboard warns."""

import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser import people
from tests.browser.conftest import ROOT

pytestmark = pytest.mark.timeout(240)


def anchored(page: Page) -> int:
    """The index that the card's badge shows, once the page says so by itself."""
    badge = page.get_by_test_id("receipt-badge").last
    expect(badge).to_contain_text("已上链 #", timeout=15_000)
    return int(re.search(r"#(\d+)", badge.inner_text()).group(1))


def test_a_clean_delivery_raises_nothing_and_a_borrowed_buyer_is_seen_at_once(
    site: str, phones: BrowserContext, desk: BrowserContext, tmp_path: Path
) -> None:
    dashboard = desk.new_page()
    dashboard.goto("/demo/console?as=wen-ning")
    expect(dashboard.get_by_text("暂无预警")).to_be_visible()

    chen = people.handset(phones, "chen-li")
    people.sign_order(chen)
    su = people.handset(phones, "su-qing")
    people.confirm_order(su)
    su.get_by_test_id("order-despatch-new").click()
    people.despatch(su, number="DN-1", quantity="600")
    chen.goto("/m/?handset=chen-li")
    people.receive(chen, "DN-1", rejected="20")
    index = anchored(chen)
    expect(chen.get_by_test_id("receipt-total")).to_contain_text("107,880.00")
    expect(dashboard.get_by_text("暂无预警")).to_be_visible()
    dashboard.reload()
    expect(dashboard.get_by_text("暂无预警")).to_be_visible()

    su.goto("/m/?handset=su-qing")
    su.get_by_test_id("task-order_to_despatch").first.click()
    people.despatch(su, number="DN-2", quantity="600")
    su.goto("/m/?handset=su-qing")
    people.play(su, "chen-li")
    expect(su.get_by_test_id("task-delivery_to_receive").first).to_be_visible()
    people.receive(su, "DN-2")
    expect(dashboard.get_by_text("R27").first).to_be_visible(timeout=10_000)
    expect(dashboard.get_by_text("R21").first).to_be_visible(timeout=10_000)
    later = anchored(su)
    assert later > index

    order = dashboard.get_by_text("PO-2026-0815").first
    order.click()
    expect(dashboard.get_by_text("未被改动")).to_be_visible()
    proof_verifies_offline(site, dashboard, later, tmp_path)


def proof_verifies_offline(site: str, page: Page, index: int, folder: Path) -> None:
    """Fetches proof, leaf and policy without signing in, and checks them with the framework-free package alone."""
    hrefs = page.locator("a[href*='/proof']").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    for href in hrefs:
        proof = urllib.request.urlopen(f"{site}{href}").read()
        if f"index {index}\n".encode() in proof:
            break
    else:
        pytest.fail(f"no proof of index {index} among {hrefs}")
    (folder / "event.tlog-proof").write_bytes(proof)
    (folder / "leaf").write_bytes(urllib.request.urlopen(f"{site}{href.removesuffix('proof')}leaf").read())
    policy = urllib.request.urlopen(f"{site}/ledger/policy").read().decode()
    vkey = next(line.split()[1] for line in policy.splitlines() if line.startswith("log ") and "/supply+" in line)
    command = [
        sys.executable,
        "-m",
        "backend.ledger",
        "verify-proof",
        "event.tlog-proof",
        "--entry",
        "leaf",
        "--log",
        vkey,
    ]
    checked = subprocess.run(command, cwd=folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    leaf = json.loads((folder / "leaf").read_bytes())
    assert leaf["type"] == "yirong.event.v1" and set(leaf["data"]["sections"]) >= {
        "header",
        "document",
        "signature",
        "capture",
    }
