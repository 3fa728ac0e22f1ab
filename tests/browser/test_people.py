"""An invitation from the console to the phone and to another desk: the code is shown once, works once, and no address carries it."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.people import handset

pytestmark = pytest.mark.timeout(240)


def invite(desk: BrowserContext, name: str) -> tuple[str, str]:
    """The buyer's office invites somebody; the code, and the link that carries it behind a #."""
    page = desk.new_page()
    page.goto("/demo/console?as=he-chuan")
    page.goto("/console/people/")
    page.get_by_role("link", name="邀请人员").press("Enter")
    page.get_by_label("姓名").fill(name)
    page.get_by_label("查看人").press("Space")
    page.get_by_role("button", name="生成邀请码").press("Enter")
    code, link = page.locator("#code").inner_text(), page.locator("p.small.mono").inner_text()
    expect(page.get_by_role("img", name="链接的二维码")).to_be_visible()
    page.goto("/console/people/")
    assert code not in page.content()
    page.close()
    return code, link


def enter(page: Page, code: str) -> None:
    page.get_by_test_id("me-join").click()
    page.get_by_test_id("join-code").locator("input").fill(code)
    page.get_by_test_id("join").click()


def test_an_invitation_is_accepted_on_the_phone_and_works_once(desk: BrowserContext, phones: BrowserContext) -> None:
    code, _ = invite(desk, "罗平")
    page = handset(phones, "luo-ping")
    page.get_by_text("我的", exact=True).last.click()
    enter(page, code.lower())
    expect(page.get_by_test_id("tasks-summary")).to_contain_text("澜桥优选商贸有限公司")
    page.get_by_text("我的", exact=True).last.click()
    expect(page.get_by_test_id("me-member")).to_have_count(2)
    enter(page, code)
    expect(page.get_by_test_id("join-problem")).to_contain_text("邀请码不对或已失效")


def test_an_invitation_is_accepted_at_another_desk_and_no_address_carries_the_code(
    desk: BrowserContext, phones: BrowserContext
) -> None:
    code, link = invite(desk, "江新")
    asked: list[str] = []
    phones.on("request", lambda request: asked.append(request.url))
    page = phones.new_page()
    page.goto(link)
    expect(page.get_by_label("邀请码")).to_have_value(code)
    assert "#" not in page.url
    page.get_by_label("用户名").fill("jiang.xin")
    page.get_by_label("密码", exact=True).fill("orange-boat-21-lamp")
    page.get_by_label("再输一次密码").fill("orange-boat-21-lamp")
    page.get_by_role("button", name="加入").click()
    expect(page.get_by_text("欢迎。")).to_be_visible()
    assert not [url for url in asked if code in url.partition("#")[0]]
