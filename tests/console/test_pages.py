"""Each role's pages: what stands on them, and that nothing of other organisations does."""

import re

import pytest

from backend.console.labels import LEDGER_REFUSALS
from backend.core.ids import typed
from backend.evidence.published import key_path
from backend.evidence.tasks import check_ledger
from backend.ledger.errors import AlreadyInitialised, Fatal, KeyInvalid
from backend.parties.models import Site
from tests.cast import issued_order

pytestmark = pytest.mark.django_db


def without_tokens(response) -> str:
    """The page without its CSRF tokens, which differ with every rendering."""
    return re.sub(r'(csrfmiddlewaretoken" value=)"[^"]+"', r"\1", response.text)


def test_the_buyers_office_sees_what_waits_for_a_signature(cast, console):
    issued_order(cast)
    page = console(cast.office).get("/console/").text
    assert "待签" in page
    assert "PO-1" in page
    assert "¥223,235.00" in page
    assert "Buyer：签署" in page


def test_the_buyers_office_sees_receipts_with_their_place_in_the_ledger(cast, console, delivery):
    page = console(cast.office).get("/console/receipts/").text
    assert "1,180 / 1,200" in page
    assert "签收有异常" in page
    assert "已上链 #" in page


def test_the_seller_sees_the_same_order_and_its_despatch(cast, console, delivery):
    client = console(cast.sales, "en")
    assert "PO-1" in client.get("/console/orders/").text
    assert "DN-1" in client.get("/console/despatches/").text
    assert client.get(f"/console/orders/{delivery['order']}/").status_code == 200


def test_a_carrier_sees_trips_and_no_order(cast, console, delivery):
    client = console(cast.driver, "en")
    page = client.get("/console/despatches/").text
    assert "DN-1" in page
    assert "/console/orders/ord_" not in page
    assert client.get(f"/console/orders/{delivery['order']}/").status_code == 404


def test_the_risk_officers_first_page_is_the_live_alerts(cast, console):
    client = console(cast.risk, "en")
    assert client.get("/console/").headers["Location"] == "/console/alerts/"
    assert "Live alerts" in client.get("/console/alerts/").text


@pytest.mark.parametrize("page", ["", "orders/", "despatches/", "receipts/", "alerts/"])
def test_an_outsider_sees_nothing_of_it(cast, console, borrowed, page):
    text = console(cast.stranger).get(f"/console/{page}").text
    assert "PO-1" not in text
    assert "DN-1" not in text


def test_what_is_anothers_looks_like_what_is_not_there(cast, console, borrowed):
    from backend.risk.models import Alert

    client = console(cast.stranger)
    absent = client.get("/console/orders/ord_01jd00000000000000000000000/")
    foreign = client.get(f"/console/orders/{borrowed['order']}/")
    alert = client.get(f"/console/alerts/{typed('alert', Alert.objects.first().id)}/")
    assert {absent.status_code, foreign.status_code, alert.status_code} == {404}
    assert "这里什么也没有" in foreign.text
    assert without_tokens(foreign).replace(borrowed["order"], "") == without_tokens(absent).replace(
        "ord_01jd00000000000000000000000", ""
    )


def test_alerts_are_sentences_the_most_urgent_first(cast, console, borrowed):
    page = console(cast.risk, "en").get("/console/alerts/").text
    one_device = page.index("One handset acted for the buyer Buyer and for the seller Seller within 90 days")
    elsewhere = page.index("Signed 12.0 km from the ship-to address")
    assert one_device < elsewhere
    assert page.count('class="alert"') == 2


def test_the_buyer_sees_its_alerts_and_the_seller_none(cast, console, borrowed):
    assert "签收地点距收货地址 12.0 公里" in console(cast.office).get("/console/alerts/").text
    assert "签收地点" not in console(cast.sales).get("/console/alerts/").text


def test_an_alert_says_what_was_compared_and_is_acknowledged_once_with_a_note(cast, console, borrowed):
    from backend.risk.models import Alert

    alert = Alert.objects.get(rule="R21")
    path = f"/console/alerts/{typed('alert', alert.id)}/"
    client = console(cast.risk, "en")
    page = client.get(path).text
    assert "Distance to the address</dt><dd>12.0 km" in page
    assert "Agreed radius</dt><dd>300 m" in page
    empty = client.post(f"{path}acknowledgement/", {"note": "  "})
    assert empty.status_code == 422
    assert "Write a note" in empty.text
    assert client.post(f"{path}acknowledgement/", {"note": "Called the buyer."}, follow=True).status_code == 200
    alert.refresh_from_db()
    assert (alert.state, alert.acknowledgement) == ("ACKED", "Called the buyer.")
    again = console(cast.office, "en").post(f"{path}acknowledgement/", {"note": "Me too."}, follow=True)
    assert "Somebody acknowledged this before you" in again.text
    alert.refresh_from_db()
    assert alert.acknowledgement == "Called the buyer."


def test_the_chart_counts_the_last_fourteen_days_by_severity(cast, console, borrowed):
    body = console(cast.risk).get("/console/alerts/series/").json()
    assert len(body["days"]) == 14
    assert {one["severity"]: one["counts"][-1] for one in body["series"]} == {"P1": 1, "P2": 1, "P3": 0, "P4": 0}


def test_the_ledger_page_shows_its_size_and_key(cast, console, delivery):
    from backend.evidence.models import Checkpoint, LedgerOrigin

    page = console(cast.risk, "en").get("/console/ledger/").text
    size = Checkpoint.objects.filter(chain="supply").order_by("-size").first().size
    assert f"<strong>{size}</strong>" in page
    assert (
        LedgerOrigin.objects.get(chain="supply").vkey.replace("+", "&#x2B;") in page
        or LedgerOrigin.objects.get(chain="supply").vkey in page
    )
    assert "up to date" in page


@pytest.mark.parametrize("path", ["ledger/", "alerts/"])
def test_what_the_ledger_refuses_stands_red_and_in_words_on_its_page_and_before_the_risk_officer(
    cast, console, delivery, path
):
    refusing = console(cast.risk, "en"), console(cast.risk)
    sound = [client.get(f"/console/{path}").text for client in refusing]
    key_path("asset").unlink()
    check_ledger()
    english, chinese = (client.get(f"/console/{path}").text for client in refusing)
    assert "Asset chain" in english
    assert '<span class="tag bad">signs nothing</span>' in english
    assert '<span class="error">its signing key is gone</span>' in english
    assert '<span class="tag bad">已停止签名</span>' in chinese
    assert '<span class="error">签名密钥不见了</span>' in chinese
    assert "Supply chain" not in english
    assert all("key-missing" in page for page in (english, chinese))
    assert not any("key-missing" in page for page in sound)


def test_every_refusal_of_the_ledger_has_words():
    kinds, refusals = [Fatal], {KeyInvalid}
    while kinds:
        below = kinds.pop().__subclasses__()
        kinds += below
        refusals |= set(below)
    refusals.discard(AlreadyInitialised)  # what begins a ledger says it; a ledger that was begun never does
    assert {kind.code for kind in refusals} == set(LEDGER_REFUSALS)


def test_lists_are_filtered_by_state(cast, console):
    issued_order(cast)
    client = console(cast.office)
    assert "PO-1" in client.get("/console/orders/?state=ISSUED").text
    assert "PO-1" not in client.get("/console/orders/?state=DELIVERED").text


def test_long_lists_go_on_where_the_page_ended(cast, console, monkeypatch):
    monkeypatch.setattr("backend.console.orders.PAGE_SIZE", 2)
    for number in range(3):
        issued_order(cast, order_no=f"PO-{number}")
    client = console(cast.office)
    first = client.get("/console/orders/")
    assert "PO-2" in first.text
    assert "PO-0" not in first.text
    following = client.get(first.context["next_url"])
    assert "PO-0" in following.text
    assert "PO-2" not in following.text


def test_pages_stay_within_their_query_budgets(cast, console, delivery, django_assert_max_num_queries):
    for number in range(8):
        issued_order(cast, order_no=f"PO-many-{number}")
    office, risk = console(cast.office), console(cast.risk)
    for client, path, budget in (
        (office, "/console/", 24),
        (office, "/console/orders/", 9),
        (office, "/console/despatches/", 11),
        (office, "/console/receipts/", 11),
        (risk, "/console/alerts/", 12),
        (office, f"/console/orders/{delivery['order']}/", 90),
    ):
        with django_assert_max_num_queries(budget):
            assert client.get(path).status_code == 200


def test_a_seller_is_offered_the_places_of_its_own_buyers_only(cast, console):
    for of, name in ((cast.buyer, "Buyer's dock"), (cast.outsider, "Outsider's dock")):
        Site.objects.create(organisation=of, name=name, address="-", latitude="31.2", longitude="121.4", radius_m=300)
    client = console(cast.sales)
    assert "Buyer&#x27;s dock" not in client.get("/console/orders/new/").text
    issued_order(cast)
    page = client.get("/console/orders/new/").text
    assert "Buyer&#x27;s dock" in page
    assert "Outsider&#x27;s dock" not in page
