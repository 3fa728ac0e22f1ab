"""The order form: what it issues, and what it says when something is not right."""

import pytest

from backend.core.models import Event
from backend.parties.models import Site
from backend.trade.models import PurchaseOrder
from tests.cast import issued_order

pytestmark = pytest.mark.django_db
FORM = "/console/orders/new/"


def typed(cast, *rows: dict, **head: str) -> dict[str, str]:
    """A filled form; each row changes the line 12 x 3.335."""
    form = {
        "order_no": "PO-7",
        "counterparty": str(cast.seller.id),
        "payment_days": "60",
        "payment_from": "receipt",
        "funder_disclosure": "ask_buyer",
        "ship_to_name": "Gate 3",
        "ship_to_address": "1 Warehouse Road",
        "latitude": "31.2304",
        "longitude": "121.4737",
        "radius_m": "300",
    } | head
    rows = rows or ({},)
    form |= {"lines-TOTAL_FORMS": str(len(rows)), "lines-INITIAL_FORMS": "0"}
    line = {
        "item_name": "Lid",
        "quantity": "12",
        "unit": "H87",
        "unit_price": "3.335",
        "tax_rate": "13",
        "tolerance_pct": "2",
    }
    for place, row in enumerate(rows):
        form |= {f"lines-{place}-{name}": value for name, value in (line | row).items()}
    return form


def nothing_issued() -> bool:
    return not PurchaseOrder.objects.exists() and not Event.objects.filter(type="order.issued").exists()


def test_the_buyers_office_issues_an_order_and_lands_on_its_trace(cast, console):
    answer = console(cast.office).post(FORM, typed(cast, {}, {"item_name": "Pot", "unit_price": "186.00"}))
    order = PurchaseOrder.objects.get()
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/console/orders/ord_")
    assert (order.buyer, order.seller, order.total_fen, order.radius_m) == (cast.buyer, cast.seller, 4002 + 223200, 300)
    assert list(
        order.lines.values_list("line_id", "item_name", "unit_price", "tax_rate", "tolerance_pct", "amount_fen")
    ) == [
        ("1", "Lid", "3.335", "0.13", "2", 4002),
        ("2", "Pot", "186.00", "0.13", "2", 223200),
    ]
    assert Event.objects.get(type="order.issued").actor_member == cast.office.id


def test_the_seller_issues_on_the_buyers_behalf(cast, console):
    console(cast.sales).post(FORM, typed(cast, counterparty=str(cast.buyer.id)))
    order = PurchaseOrder.objects.get()
    assert (order.buyer, order.seller, order.issued_by) == (cast.buyer, cast.seller, cast.sales)
    assert order.state == "ISSUED"


@pytest.mark.parametrize("who", ["clerk", "driver", "risk"])
def test_who_may_not_issue_is_refused_and_nothing_is_issued(cast, console, who):
    client = console(getattr(cast, who))
    assert client.get(FORM).status_code == 403
    assert client.post(FORM, typed(cast)).status_code == 403
    assert nothing_issued()


@pytest.mark.parametrize(
    ("rows", "head", "field"),
    [
        ([{"quantity": "0"}], {}, "lines-0-quantity"),
        ([{"quantity": "-3"}], {}, "lines-0-quantity"),
        ([{"quantity": "1.2345"}], {}, "lines-0-quantity"),
        ([{"quantity": "many"}], {}, "lines-0-quantity"),
        ([{"quantity": "NaN"}], {}, "lines-0-quantity"),
        ([{}, {"unit_price": ""}], {}, "lines-1-unit_price"),
        ([{"unit_price": "1e400"}], {}, "lines-0-unit_price"),
        ([{"tax_rate": "130"}], {}, "lines-0-tax_rate"),
        ([{"unit": "XXX"}], {}, "lines-0-unit"),
        ([], {"order_no": ""}, "order_no"),
        ([], {"latitude": "91"}, "latitude"),
        ([], {"longitude": "-180.1"}, "longitude"),
        ([], {"radius_m": "5"}, "radius_m"),
        ([], {"counterparty": "not-an-organisation"}, "counterparty"),
    ],
)
def test_a_field_that_is_not_right_is_named_and_nothing_is_issued(cast, console, rows, head, field):
    answer = console(cast.office).post(FORM, typed(cast, *rows, **head))
    assert answer.status_code == 422
    named = {name for name, errors in answer.context["form"].errors.items() if errors}
    named |= {f"lines-{place}-{name}" for place, errors in enumerate(answer.context["lines"].errors) for name in errors}
    assert named == {field}
    assert "订单未下达" in answer.text
    assert nothing_issued()


def test_a_number_that_is_taken_stands_at_its_field(cast, console):
    issued_order(cast, order_no="PO-7")
    answer = console(cast.office).post(FORM, typed(cast, order_no=" ｐｏ-７ "))
    assert answer.context["form"].errors == {"order_no": ["该买方已有此订单号。"]}
    assert PurchaseOrder.objects.count() == 1


def test_the_known_place_stays_chosen_when_something_else_is_not_right(cast, console):
    site = Site.objects.create(
        organisation=cast.buyer,
        name="Gate 3",
        address="1 Warehouse Road",
        latitude="31.2304",
        longitude="121.4737",
        radius_m=300,
    )
    answer = console(cast.office).post(FORM, typed(cast, order_no="", site=str(site.id)))
    assert f'<option value="{site.id}" selected>' in answer.text
    assert "selected" not in console(cast.office).get(FORM).text.split('name="site"')[1].split("</select>")[0]


def test_a_total_that_no_signature_could_carry_is_refused(cast, console):
    answer = console(cast.office).post(FORM, typed(cast, {"quantity": "999999999", "unit_price": "99999999"}))
    assert answer.status_code == 422
    assert "合计金额过大" in answer.text
    assert nothing_issued()


def test_a_line_is_added_and_removed_with_everything_typed_kept(cast, console):
    client = console(cast.office)
    added = client.post(f"{FORM}lines/", typed(cast, {"item_name": "Lid", "quantity": "oops"}) | {"add": "1"})
    assert 'name="lines-TOTAL_FORMS" value="2"' in added.text
    assert 'value="oops"' in added.text
    removed = client.post(f"{FORM}lines/", typed(cast, {"item_name": "Lid"}, {"item_name": "Pot"}) | {"remove": "0"})
    assert 'name="lines-TOTAL_FORMS" value="1"' in removed.text
    assert "Pot" in removed.text
    assert "Lid" not in removed.text


ENDLESS = "9" * 5_000


@pytest.mark.parametrize("count", [ENDLESS, "-1", "１", "", "many"])
def test_a_count_of_lines_that_is_none_shows_no_line(cast, console, count):
    answer = console(cast.office).post(f"{FORM}lines/", typed(cast) | {"lines-TOTAL_FORMS": count, "add": "1"})
    assert answer.status_code == 200
    assert 'name="lines-TOTAL_FORMS" value="1"' in answer.text
    assert "Lid" not in answer.text


@pytest.mark.parametrize("place", [ENDLESS, "2", "-1", "１", ""])
def test_a_line_that_is_not_there_is_not_removed(cast, console, place):
    rows = typed(cast, {"item_name": "Lid"}, {"item_name": "Pot"})
    answer = console(cast.office).post(f"{FORM}lines/", rows | {"remove": place})
    assert answer.status_code == 200
    assert "Lid" in answer.text
    assert "Pot" in answer.text


@pytest.mark.parametrize("path", ["", "lines/", "total/"])
def test_a_number_without_end_is_a_wrong_number_wherever_it_stands(cast, console, path):
    line = dict.fromkeys(("quantity", "unit_price", "tax_rate", "tolerance_pct"), ENDLESS)
    head = dict.fromkeys(("payment_days", "latitude", "longitude", "radius_m", "lines-INITIAL_FORMS"), ENDLESS)
    for count in ("1", ENDLESS):
        answer = console(cast.office).post(FORM + path, typed(cast, line, **head) | {"lines-TOTAL_FORMS": count})
        assert answer.status_code == (200 if path else 422)
    assert nothing_issued()


def test_the_total_is_rounded_line_by_line_as_it_will_be_signed(cast, console):
    rows = [{"quantity": "1", "unit_price": "0.005"}, {"quantity": "1", "unit_price": "0.005"}]
    assert "¥0.02" in console(cast.office).post(f"{FORM}total/", typed(cast, *rows)).text
    assert "¥" not in console(cast.office).post(f"{FORM}total/", typed(cast, {"quantity": ""})).text


def test_a_known_place_fills_the_address(cast, console):
    site = Site.objects.create(
        organisation=cast.buyer, name="Dock", address="2 Quay", latitude="31.2", longitude="121.4", radius_m=150
    )
    text = console(cast.office).get(f"{FORM}ship-to/", {"site": str(site.id)}).text
    for value in ('value="Dock"', 'value="2 Quay"', 'value="31.2000000"', 'value="150"'):
        assert value in text
    assert "Dock" not in console(cast.stranger).get(f"{FORM}ship-to/", {"site": str(site.id)}).text
