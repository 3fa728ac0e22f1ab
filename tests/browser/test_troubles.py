"""What a dock has to live with: no place given, no network, an upload cut short. The signature and the photo are not lost."""

import io
import json

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser import people

pytestmark = pytest.mark.timeout(240)


def kept(page: Page, handset: str, key: str) -> dict:
    """What the handset keeps under a key."""
    return json.loads(page.evaluate("key => localStorage.getItem(key)", f"yirong/{handset}/{key}"))["data"]


def fetch(page: Page, handset: str, path: str) -> bytes:
    """An answer of the API, asked with the handset's own session."""
    answer = page.request.get(path, headers={"Authorization": f"Token {kept(page, handset, 'session')['token']}"})
    assert answer.ok, answer.text()
    return answer.body()


def receipt_of(page: Page) -> dict:
    """The receipt whose card is shown."""
    items = page.evaluate("() => Object.keys(localStorage).filter(key => key.startsWith('yirong/chen-li/queue/'))")
    made = [kept(page, "chen-li", key.removeprefix("yirong/chen-li/")) for key in items]
    newest = max((one for one in made if one["kind"] == "receipt.sign"), key=lambda one: one["created_at"])
    return json.loads(fetch(page, "chen-li", f"/api/v1/receipts/{newest['result']['id']}/"))


def delivered(phones: BrowserContext, desk: BrowserContext, order: str, *numbers: str) -> Page:
    """An order of that number, signed, confirmed, and sent off in as many trucks; the dock clerk's phone."""
    people.issue_order(desk, order)
    chen = people.handset(phones, "chen-li")
    people.sign_order(chen, order)
    su = people.handset(phones, "su-qing")
    people.confirm_order(su, order)
    for number in numbers:
        su.get_by_test_id("order-despatch-new").last.click()
        people.despatch(su, number=number, quantity="50")
        su.goto("/m/?handset=su-qing#/pages/orders/index")
        su.get_by_test_id("order-row").filter(has_text=order).click()
    chen.goto("/m/?handset=chen-li")
    return chen


def test_signing_needs_neither_a_place_nor_a_network(phones: BrowserContext, desk: BrowserContext) -> None:
    chen = delivered(phones, desk, "PO-NO-PLACE", "DN-NO-PLACE", "DN-NO-NET")
    people.receive(chen, "DN-NO-PLACE", place=False)
    expect(chen.get_by_test_id("receipt-badge").last).to_contain_text("已上链 #")
    expect(chen.get_by_test_id("receipt-place").last).to_contain_text("没有提供位置")
    expect(chen.get_by_test_id("receipt-assurance").last).to_contain_text("L1")
    drawn_signature_is_kept(chen)

    chen.goto("/m/?handset=chen-li")
    waiting = chen.get_by_test_id("task-delivery_to_receive").filter(has_text="DN-NO-NET")
    fetched_ahead(chen, f"/despatches/{waiting.get_attribute('data-subject')}/")
    phones.set_offline(True)
    waiting.click()
    expect(chen.get_by_test_id("offline-bar").last).to_be_visible()
    chen.get_by_test_id("all-received").click()
    people.draw(chen)
    chen.get_by_test_id("delivery-sign").click()
    expect(chen.get_by_test_id("receipt-local")).to_contain_text("已签·待同步")
    chen.wait_for_timeout(500)
    assert kept(chen, "chen-li", "session")["token"], "nobody is signed out by a missing network"
    phones.set_offline(False)
    expect(chen.get_by_test_id("receipt-badge").last).to_contain_text("已上链 #")
    expect(chen.get_by_test_id("receipt-total").last).to_contain_text("4,425.00")


def fetched_ahead(page: Page, address: str) -> None:
    """Waits until the phone has what stands at an address, though nobody opened it."""
    page.wait_for_function(
        "address => Object.keys(localStorage).some(key => key.includes('/seen/') && key.endsWith(address))", arg=address
    )


def test_a_page_that_found_no_network_fills_by_itself_once_there_is_one(phones: BrowserContext) -> None:
    chen = people.handset(phones, "chen-li")
    phones.set_offline(True)
    chen.get_by_text("订单", exact=True).last.click()
    expect(chen.get_by_test_id("state-error").last).to_be_visible()
    chen.wait_for_timeout(500)
    drawn = "() => [...document.querySelectorAll('.uni-tabbar__item img')].map(picture => picture.naturalWidth > 0)"
    assert chen.evaluate(drawn) == [True] * 3, "the tab bar's pictures were fetched before the network went"
    phones.set_offline(False)
    expect(chen.get_by_test_id("order-row").first).to_be_visible()


def test_a_picture_that_does_not_fit_is_named_and_takes_no_other_with_it(
    phones: BrowserContext, desk: BrowserContext
) -> None:
    chen = delivered(phones, desk, "PO-PICTURES", "DN-PICTURES")
    chen.get_by_test_id("task-delivery_to_receive").filter(has_text="DN-PICTURES").click()
    drawing = io.BytesIO()
    Image.effect_noise((300, 200), 40).save(drawing, "PNG")
    with chen.expect_file_chooser() as chooser:
        chen.get_by_test_id("photo-album").click()
    chooser.value.set_files(
        [
            people.photo("front"),
            {"name": "no-picture.jpg", "mimeType": "image/jpeg", "buffer": b"no picture at all"},
            {"name": "in-truth-a-png.jpg", "mimeType": "image/jpeg", "buffer": drawing.getvalue()},
        ]
    )
    expect(chen.get_by_test_id("photo")).to_have_count(2)
    expect(chen.get_by_test_id("file-fault")).to_have_text("no-picture.jpg：只收 JPEG、PNG、PDF")
    chen.get_by_test_id("all-received").click()
    chen.get_by_test_id("delivery-sign").click()
    expect(chen.get_by_test_id("receipt-badge").last).to_contain_text("已上链 #")
    kinds = {voucher["filename"]: voucher["mime"] for voucher in receipt_of(chen)["vouchers"]}
    assert kinds == {"front.jpg": "image/jpeg", "in-truth-a-png.jpg": "image/png"}


def drawn_signature_is_kept(chen: Page) -> None:
    """The stored picture of the drawn signature has ink on it, and ground."""
    vouchers = receipt_of(chen)["vouchers"]
    signature = next(voucher for voucher in vouchers if voucher["kind"] == "signature")
    picture = Image.open(io.BytesIO(fetch(chen, "chen-li", signature["content_url"]))).convert("RGBA")
    ground = Image.new("RGBA", picture.size, "white")
    ground.alpha_composite(picture)
    dark = sum(ground.convert("L").histogram()[:128])
    assert 300 < dark < picture.width * picture.height / 4


def test_an_upload_goes_on_where_a_reload_cut_it_and_the_original_stays_byte_for_byte(
    phones: BrowserContext, desk: BrowserContext
) -> None:
    people.issue_order(desk, "PO-UPLOAD")
    chen = people.handset(phones, "chen-li")
    chen.get_by_test_id("task-order_to_sign").filter(has_text="PO-UPLOAD").click()
    chen.get_by_test_id("attach-voucher").click()
    chen.get_by_test_id("kind-stamped_delivery_note").click()
    original = turned_photo()
    with chen.expect_file_chooser() as chooser:
        chen.get_by_test_id("file-camera").click()
    chooser.value.set_files({"name": "送货单 gate 3.jpg", "mimeType": "image/jpeg", "buffer": original})
    expect(chen.get_by_test_id("file-chosen")).to_be_visible()

    sent: list[int] = []

    def two_parts_then_silence(route: Route) -> None:
        if len(sent) == 2:
            return route.abort()
        sent.append(int(route.request.url.rsplit("/", 1)[1]))
        return route.continue_()

    chen.route("**/api/v1/uploads/*/parts/*", two_parts_then_silence)
    chen.get_by_test_id("voucher-add").click()
    bar = chen.get_by_test_id("upload-progress")
    expect(bar).to_be_visible()
    share = 2 * 1024 * 1024 / len(original) * 100
    expect(bar).to_have_attribute("aria-valuenow", str(int(share + 0.5)))
    chen.unroute_all()
    chen.on("request", lambda asked: "/parts/" in asked.url and sent.append(int(asked.url.rsplit("/", 1)[1])))
    chen.goto("/m/?handset=chen-li#/pages/queue/index")
    chen.reload()
    expect(chen.get_by_test_id("queue-badge").first).to_contain_text("已上链 #")
    assert sent == sorted(set(sent)), "no part travels twice"

    chen.get_by_test_id("queue-item").first.click()
    expect(chen.get_by_test_id("voucher").last).to_contain_text("送货单 gate 3.jpg")
    subject = chen.url.rsplit("=", 1)[1]
    (card,) = json.loads(fetch(chen, "chen-li", f"/api/v1/vouchers/?subject={subject}"))["results"]
    assert fetch(chen, "chen-li", card["content_url"]) == original
    view = Image.open(io.BytesIO(fetch(chen, "chen-li", card["view_url"])))
    assert view.height > view.width, "it stands upright, as it was taken"
    assert not view.getexif()

    su = people.handset(phones, "su-qing")
    su.goto("/m/?handset=su-qing#/pages/orders/index")
    su.get_by_test_id("order-row").filter(has_text="PO-UPLOAD").click()
    su.get_by_test_id("voucher").last.click()
    expect(su.get_by_test_id("voucher-place-kept")).to_contain_text("原件带有拍摄地点")


def test_a_signed_receipt_goes_out_although_the_server_gave_its_upload_up(
    phones: BrowserContext, desk: BrowserContext
) -> None:
    chen = delivered(phones, desk, "PO-GIVEN-UP", "DN-GIVEN-UP")
    with chen.expect_request("**/api/v1/uploads/*/parts/0") as cut:
        chen.route("**/api/v1/uploads/*/parts/*", lambda route: route.abort())
        people.receive(chen, "DN-GIVEN-UP")
    expect(chen.get_by_test_id("receipt-local")).to_contain_text("已签·待同步")
    part = cut.value
    spoilt = chen.request.put(
        part.url,
        headers={"Authorization": part.headers["authorization"], "Content-Type": "application/octet-stream"},
        data=bytes(len(part.post_data_buffer or b"")),
    )
    assert (spoilt.status, spoilt.json()["code"]) == (422, "digest-mismatch"), "the photo fits one part"
    chen.unroute_all()
    chen.goto("/m/?handset=chen-li#/pages/queue/index")
    chen.reload()
    expect(chen.get_by_test_id("queue-badge").first).to_contain_text("已上链 #")
    vouchers = receipt_of(chen)["vouchers"]
    assert sorted(voucher["kind"] for voucher in vouchers) == ["photo", "signature"]
    photo = next(voucher for voucher in vouchers if voucher["kind"] == "photo")
    assert Image.open(io.BytesIO(fetch(chen, "chen-li", photo["content_url"]))).size == (1200, 900)


def turned_photo() -> bytes:
    """Over 3 MB, as a phone held upright takes it: sideways, with its orientation and the place in EXIF."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825).update({1: "N", 2: (31.0, 13.0, 49.4), 3: "E", 4: (121.0, 28.0, 25.3)})
    data = io.BytesIO()
    Image.effect_noise((2600, 1950), 90).convert("RGB").save(data, "JPEG", quality=93, exif=exif)
    assert len(data.getvalue()) > 3 * 1024 * 1024
    return data.getvalue()


def test_a_slow_server_is_waited_for_and_what_was_signed_is_not_offered_again(
    phones: BrowserContext, desk: BrowserContext
) -> None:
    people.issue_order(desk, "PO-SLOW")
    chen = people.handset(phones, "chen-li")
    held: list[Route] = []
    slow = True

    def wait_with(route: Route) -> None:
        held.append(route) if slow else route.continue_()

    chen.route("**/api/v1/orders/ord_*/", wait_with)
    chen.get_by_test_id("task-order_to_sign").filter(has_text="PO-SLOW").click()
    expect(chen.get_by_test_id("state-loading").last).to_be_visible()
    expect(chen.get_by_test_id("slow")).to_be_visible()
    held.pop().continue_()
    chen.get_by_test_id("order-sign").click()
    expect(chen.get_by_test_id("queue-badge").last).to_be_visible()
    # The server has taken it, and is slow to show the order as it is now.
    chen.wait_for_function(
        "() => Object.keys(localStorage).some(key => key.includes('/queue/') && localStorage[key].includes('accepted'))"
    )
    assert held
    expect(chen.get_by_test_id("order-sign")).to_have_count(0)
    slow = False
    for route in held:
        route.continue_()
    expect(chen.get_by_test_id("order-state").last).to_contain_text("待卖方确认")
    expect(chen.get_by_test_id("order-sign")).to_have_count(0)


def test_the_seller_reads_why_an_order_came_back(phones: BrowserContext, desk: BrowserContext) -> None:
    people.issue_order(desk, "PO-BACK")
    chen = people.handset(phones, "chen-li")
    chen.get_by_test_id("task-order_to_sign").filter(has_text="PO-BACK").click()
    chen.get_by_test_id("order-reject").click()
    chen.get_by_test_id("reject-reason").locator("textarea").fill("单价应为 80.00")
    chen.get_by_test_id("reject-send").click()
    expect(chen.get_by_test_id("order-state").last).to_contain_text("已退回")
    su = people.handset(phones, "su-qing")
    su.goto("/m/?handset=su-qing#/pages/orders/index")
    su.get_by_test_id("order-row").filter(has_text="PO-BACK").click()
    expect(su.get_by_test_id("order-rejected")).to_contain_text("单价应为 80.00")
