"""What people do with their fingers: each function is one act on one handset or at the console."""

import io

from PIL import Image, ImageDraw
from playwright.sync_api import BrowserContext, Locator, Page, expect


def photo(text: str = "DELIVERY NOTE") -> dict[str, object]:
    """A picture as a camera's file chooser would hand it over; no two are alike."""
    picture = Image.effect_noise((1200, 900), 60).convert("RGB")
    ImageDraw.Draw(picture).text((60, 60), text, fill=(0, 0, 0))
    data = io.BytesIO()
    picture.save(data, "JPEG")
    return {"name": f"{text}.jpg", "mimeType": "image/jpeg", "buffer": data.getvalue()}


def handset(phones: BrowserContext, name: str) -> Page:
    """Takes a demonstration handset into the hand; its owner is signed in."""
    page = phones.new_page()
    page.goto(f"/m/?handset={name}")
    expect(page.get_by_test_id("tasks-summary")).to_be_visible()
    return page


def take_up(page: Page) -> None:
    """Takes this phone into the hand: a page that lies behind another one is drawn twice a second."""
    page.bring_to_front()


def issue_order(desk: BrowserContext, number: str, *, quantity: str = "100") -> None:
    """The buyer's office issues an order on its form, to its own known place."""
    page = desk.new_page()
    page.goto("/demo/console?as=he-chuan")
    page.goto("/console/orders/new/")
    page.locator("#site").select_option(index=1)
    expect(page.locator("#id_latitude")).not_to_have_value("")
    page.locator("#id_order_no").fill(number)
    for field_name, value in (("item_name", "蓝牙音箱 Speaker"), ("quantity", quantity), ("unit_price", "88.50")):
        page.locator(f"[name$='-0-{field_name}']").fill(value)
    page.locator("main form > .buttons button").first.click()
    expect(page.get_by_role("heading", name=number).first).to_be_visible()
    page.close()


def sign_order(page: Page, number: str = "") -> None:
    """The buyer signs the first order that waits, of that number."""
    take_up(page)
    page.get_by_test_id("task-order_to_sign").filter(has_text=number).first.click()
    page.get_by_test_id("order-sign").click()
    expect(page.get_by_test_id("order-state").last).to_contain_text("待卖方确认")


def confirm_order(page: Page, number: str = "") -> None:
    """The seller confirms the first order that waits, of that number."""
    take_up(page)
    page.get_by_test_id("task-order_to_confirm").filter(has_text=number).first.click()
    page.get_by_test_id("order-sign").click()
    expect(page.get_by_test_id("order-despatch-new")).to_be_visible()


def field(page: Page, test_id: str) -> Locator:
    """The input inside an element of the page."""
    return page.locator(f'[data-testid="{test_id}"] input, input[data-testid="{test_id}"]').last


def despatch(page: Page, *, number: str, quantity: str) -> None:
    """The seller sends part of the order off with 马野, the delivery document uploaded."""
    take_up(page)
    field(page, "quantity-1").fill(quantity)
    field(page, "despatch-no").fill(number)
    page.get_by_test_id("despatch-carrier").last.click()
    page.get_by_test_id("carrier").first.click()
    page.get_by_test_id("despatch-driver").last.click()
    page.get_by_test_id("driver").first.click()
    with page.expect_file_chooser() as chooser:
        page.get_by_test_id("file-document").last.click()
    chooser.value.set_files(photo(number))
    expect(page.get_by_test_id("file-chosen")).to_be_visible()
    page.get_by_test_id("despatch-submit").last.click()
    expect(page.get_by_text(number).last).to_be_visible()


def receive(page: Page, number: str, *, rejected: str = "", place: bool = True) -> None:
    """The buyer counts, photographs, gives the place or not, draws, and signs."""
    take_up(page)
    page.get_by_test_id("task-delivery_to_receive").filter(has_text=number).click()
    if rejected:
        page.get_by_test_id("delivery-line").first.click()
        page.get_by_test_id("count-rejected").click()
        for digit in rejected:
            page.get_by_test_id(f"key-{digit}").click()
        page.get_by_test_id("reason-DAMAGED").click()
        page.get_by_test_id("count-done").click()
    else:
        page.get_by_test_id("all-received").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_test_id("photo-camera").click()
    chooser.value.set_files(photo(f"{number} goods"))
    expect(page.get_by_test_id("photo").first).to_be_visible()
    asked, got = page.get_by_test_id("place-give").first, page.get_by_test_id("place-got")
    expect(asked.or_(got)).to_be_visible()
    if not place:
        page.get_by_test_id("place-refuse").first.click()
    elif asked.is_visible():  # once agreed to, it is not asked again
        asked.click()
    if place:
        expect(page.get_by_test_id("place-got")).to_be_visible()
    draw(page)
    page.get_by_test_id("delivery-sign").click()


def draw(page: Page) -> None:
    """A signature on the pad, with the mouse."""
    pad = page.get_by_test_id("signature-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box
    page.mouse.move(box["x"] + 40, box["y"] + 50)
    page.mouse.down()
    for step in range(20):
        page.mouse.move(box["x"] + 40 + step * 10, box["y"] + 50 + step % 5 * 12)
    page.mouse.up()


def play(page: Page, name: str) -> None:
    """Another person signs in on this handset."""
    page.get_by_test_id("demo-strip").get_by_text("更改").click()
    page.get_by_test_id(f"demo-play-{name}").click()
