"""Every main screen in both languages, light and dark: no error in the browser's console, nothing asked of a foreign host, no code where words belong."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import DESK, PHONE

pytestmark = pytest.mark.timeout(240)

# A message's own key (`order.total`), an event's type (`order.sign`) or a state's code in place of its words.
CODES = re.compile(
    r"\b(?:order|receipt|despatch|voucher|alert|session|badge|problem|place|delivery)\.[a-z_]+\b"
    r"|\b(?:BUYER_SIGNED|PART_DELIVERED|IN_TRANSIT|SIGNED_WITH_EXCEPTION|PICKED_UP|ISSUED|ACKED)\b"
)
PHONE_PAGES = (
    ("chen-li", "tasks/index", "tasks-summary"),
    ("chen-li", "orders/index", "order-row"),
    ("chen-li", "me/index", "me-name"),
    ("chen-li", "recorded/index", "logins"),
    ("chen-li", "queue/index", "state-empty"),
    ("chen-li", "devices/index", "device"),
    ("chen-li", "invitation/index", "join-code"),
    ("su-qing", "tasks/index", "tasks-summary"),
    ("su-qing", "orders/index", "order-row"),
    ("ma-ye", "tasks/index", "tasks-summary"),
    ("ma-ye", "me/index", "me-name"),
    ("luo-ping", "orders/index", "state-empty"),
)
CONSOLE_PAGES = ("", "alerts/", "orders/", "despatches/", "receipts/", "people/", "ledger/")
LANGUAGES = pytest.mark.parametrize(("locale", "scheme"), [("zh-CN", "light"), ("en-US", "dark")])


class Watch:
    """What a browser complained of, and whom else it asked."""

    def __init__(self, context: BrowserContext, site: str) -> None:
        self.complaints: list[str] = []
        context.on(
            "console", lambda said: said.type == "error" and self.complaints.append(f"{said.text} {said.location}")
        )
        context.on("weberror", lambda thrown: self.complaints.append(f"{thrown.error}"))
        own = (site, site.replace("http", "ws", 1), "data:", "blob:")
        context.on("request", lambda asked: asked.url.startswith(own) or self.complaints.append(f"asked {asked.url}"))


# Figures that stand in two lines: read one at a time, each half is another amount.
BROKEN = """() => {
  const broken = []
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (texts.nextNode()) {
    const text = texts.currentNode
    for (const figure of text.data.matchAll(/¥?\\d[\\d,.]*\\d/g)) {
      const range = document.createRange()
      range.setStart(text, figure.index)
      range.setEnd(text, figure.index + figure[0].length)
      const tops = new Set([...range.getClientRects()].map(box => Math.round(box.top)))
      if (tops.size > 1 && !text.parentElement.closest('.mono, .small-print')) broken.push(figure[0])
    }
  }
  return broken
}"""


def read(page: Page, locale: str) -> None:
    """The page speaks the language, fits the screen, shows no code, and breaks no figure."""
    assert page.evaluate(BROKEN) == []
    text = page.locator("body").inner_text()
    assert not CODES.findall(text), text
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{page.url} is wider than the screen"
    assert (page.locator("html").get_attribute("lang") or "").startswith(locale[:2])


@LANGUAGES
def test_the_phones_screens_are_whole_in_both_languages(
    site: str, contexts: Callable[..., BrowserContext], locale: str, scheme: str
) -> None:
    context = contexts(locale, PHONE, scheme)
    watch = Watch(context, site)
    page = context.new_page()
    for handset, path, shown in PHONE_PAGES:
        page.goto(f"/m/?handset={handset}#/pages/{path}")
        expect(page.get_by_test_id(shown).first).to_be_visible()
        read(page, locale)
    for handset in ("chen-li", "su-qing"):
        page.goto(f"/m/?handset={handset}#/pages/orders/index")
        page.get_by_test_id("order-row").first.click()
        expect(page.get_by_test_id("order-total").last).to_be_visible()
        read(page, locale)
        page.get_by_test_id("attach-voucher").last.click()
        expect(page.get_by_test_id("kind-contract")).to_be_visible()
        read(page, locale)
    page.goto("/m/?handset=chen-li#/pages/nowhere/at-all")
    expect(page.get_by_test_id("tasks-summary").last).to_be_visible()
    page.goto("/m/")
    expect(page.get_by_test_id("open-in-wechat")).to_be_visible()
    read(page, locale)
    assert watch.complaints == []


@LANGUAGES
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_consoles_screens_are_whole_in_both_languages(
    site: str, contexts: Callable[..., BrowserContext], locale: str, scheme: str, size: dict[str, int]
) -> None:
    context = contexts(locale, size, scheme)
    watch = Watch(context, site)
    page = context.new_page()
    for person in ("wen-ning", "he-chuan", "su-qing"):
        page.goto(f"/demo/console?as={person}")
        for path in CONSOLE_PAGES if person != "su-qing" else ("", "orders/", "receipts/", "orders/new/"):
            page.goto(f"/console/{path}")
            expect(page.locator("h1")).to_be_visible()
            read(page, locale)
        page.goto("/console/orders/")
        expect(page.locator("#link")).to_have_attribute("data-state", "connected")
        page.wait_for_load_state("networkidle")
        page.locator("main a[href*='/console/orders/ord_']").first.click()
        expect(page.locator("[data-verdict]")).to_be_visible()
        read(page, locale)
    assert watch.complaints == []
