"""A change that the seller proposed is read line by line on the buyer's phone, and signed or refused there."""

import json
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.amending import propose
from tests.browser import people
from tests.phone import Json, Phone

pytestmark = pytest.mark.timeout(360)


def seller_of(site: str) -> Phone:
    """苏晴 on another phone of hers, signed in through WeChat's simulator."""
    client = httpx.Client(base_url=site, trust_env=False, timeout=30)

    def send(method: str, path: str, body: Json | bytes | None, headers: dict[str, str]) -> tuple[int, Json]:
        content = json.dumps(body).encode() if body is not None else None
        answer = client.request(method, path, content=content, headers=headers | {"Content-Type": "application/json"})
        return answer.status_code, answer.json()

    phone = Phone(send, handset="su-qing")
    status, answer = phone.sign_in(client.post("/demo/handsets/su-qing/code", json={}).json()["code"])
    assert status == 201, answer
    return phone


def state(page: Page, code: str) -> None:
    expect(page.locator(f'[data-testid="order-state"][data-state="{code}"]').last).to_be_visible()


def test_the_buyer_reads_a_change_line_by_line_and_signs_or_refuses_it(
    site: str, phones: BrowserContext, desk: BrowserContext, tmp_path: Path
) -> None:
    people.issue_order(desk, "PO-CHANGE")
    chen = people.handset(phones, "chen-li")
    people.sign_order(chen, "PO-CHANGE")
    people.confirm_order(people.handset(phones, "su-qing"), "PO-CHANGE")
    seller = seller_of(site)
    rows = seller.get("/api/v1/orders/")[1]["results"]
    path = f"/api/v1/orders/{next(row['id'] for row in rows if row['order_no'] == 'PO-CHANGE')}/"

    propose(seller, seller.get(path)[1], {"1": {"quantity": "90"}})
    people.take_up(chen)
    chen.goto("/m/?handset=chen-li")
    chen.get_by_test_id("task-amendment_to_answer").filter(has_text="PO-CHANGE").click()
    state(chen, "AMENDING")
    for terms in ("100 × 88.50 (±0%)", "→ 90 × 88.50 (±0%)"):
        expect(chen.get_by_test_id("amendment-line")).to_contain_text(terms)
    expect(chen.get_by_test_id("amendment-total")).to_contain_text("7,965.00")
    chen.screenshot(path=tmp_path / "amendment.png", full_page=True)
    chen.get_by_test_id("amendment-agree").click()
    state(chen, "CONFIRMED")
    expect(chen.get_by_test_id("order-total").last).to_contain_text("7,965.00")

    propose(seller, seller.get(path)[1], {"1": {"quantity": "80"}})
    expect(chen.get_by_test_id("amendment-refuse")).to_be_visible()
    chen.get_by_test_id("amendment-refuse").click()
    chen.locator('[data-testid="amendment-reason"] textarea, textarea[data-testid="amendment-reason"]').last.fill(
        "不行"
    )
    chen.get_by_test_id("amendment-refuse-send").click()
    state(chen, "CONFIRMED")
    expect(chen.get_by_test_id("amendment")).to_have_count(0)
    last = seller.get(path)[1]
    assert (last["version"], last["amendments"][-1]["state"]) == (2, "REFUSED")
