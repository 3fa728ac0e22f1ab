import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from backend.core import clock
from backend.core.ids import new_id, typed
from backend.core.models import Event
from backend.core.sections import open_section
from backend.parties.models import Session
from backend.risk import handlers, selectors
from backend.risk.models import Alert
from tests.risk.world import acting, device, member, organisation

LIST = "/api/v1/alerts/"


def client_of(who):
    """A client signed in as this member, on a handset of their own."""
    client = APIClient()
    session = Session(id=new_id(), user=who.person, member=who, device=device(who))
    client.force_authenticate(who.person, token=session)
    return client


def url(alert):
    return f"{LIST}{typed('alert', alert.id)}/"


def acknowledge(client, alert, note="已电话核实", key="key-of-the-note"):
    return client.post(f"{url(alert)}acknowledgement", {"note": note}, format="json", headers={"Idempotency-Key": key})


@pytest.fixture
def alert(world):
    handlers.examine(world.sign_receipt(12_000))
    return Alert.objects.get()


@pytest.fixture
def officer(world):
    return client_of(world.officer)


def test_the_list_tells_why_in_both_languages_what_of_and_how_often(world, alert, officer):
    (shown,) = officer.get(LIST).json()["results"]
    assert shown["id"] == typed("alert", alert.id)
    assert (shown["rule"], shown["severity"], shown["state"], shown["band"]) == ("R21", "P2", "NEW", "R21.03")
    assert shown["title"] == {"zh": "签收地点不符", "en": "Signed elsewhere"}
    assert "12.0 公里" in shown["reason"]["zh"]
    assert "12.0 km" in shown["reason"]["en"]
    assert shown["order"] == {"id": typed("order", world.order.id), "order_no": world.order.order_no}
    assert shown["subject"]["type"] == "receipt"
    assert shown["subject"]["id"].startswith("rcp_")
    assert shown["subject"]["name"].endswith("-R")
    assert shown["occurrences"] == 1
    assert shown["first_seen"].endswith("Z")
    assert shown["event"].startswith("evt_")
    assert shown["acknowledgement"] is None


def test_times_are_utc_on_the_wire(alert, officer):
    assert officer.get(url(alert)).json()["first_seen"] == clock.rfc3339(alert.first_seen)


def test_the_detail_lists_each_hit_with_the_event_it_was_found_in(alert, officer):
    (signal,) = officer.get(url(alert)).json()["signals"]
    assert signal["event"] == typed("event", alert.signals.get().event_id)
    assert (signal["severity"], signal["band"]) == ("P2", "R21.03")


def test_the_list_is_filtered_by_state_severity_rule_and_order(world, alert, officer):
    def found(query):
        return len(officer.get(f"{LIST}?{query}").json()["results"])

    assert [found("state=NEW"), found("state=ACKED"), found("state=ACKED&state=NEW")] == [1, 0, 1]
    assert [found("severity=P2"), found("severity=P1")] == [1, 0]
    assert [found("rule=R21"), found("rule=R27")] == [1, 0]
    assert found(f"order={typed('order', world.order.id)}") == 1
    assert [found(f"order={typed('order', new_id())}"), found("order=nonsense")] == [0, 0]
    assert officer.get(f"{LIST}?severity=P9").status_code == 400


def test_the_list_goes_on_by_cursor(world, officer):
    for _ in range(3):
        handlers.examine(world.sign_receipt(12_000))
    first = officer.get(f"{LIST}?limit=2").json()
    second = officer.get(first["next"]).json()
    assert [len(first["results"]), len(second["results"]), second["next"]] == [2, 1, None]


def test_a_page_of_alerts_costs_the_same_queries_however_long_it_is(world, officer):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            officer.get(LIST)
        return len(queries)

    handlers.examine(world.sign_receipt(12_000))
    one = cost()
    for _ in range(5):
        handlers.examine(world.sign_receipt(12_000))
    assert cost() == one


@pytest.mark.parametrize("who", ["trader", "clerk", "engineer"])
def test_who_may_not_see_an_alert_gets_what_is_not_there(world, alert, who):
    client = client_of(getattr(world, who))
    assert client.get(LIST).json()["results"] == []
    refused = client.get(url(alert))
    assert (refused.status_code, refused.json()["code"]) == (404, "not-found")


def test_nobody_reads_alerts_without_signing_in(alert):
    assert APIClient().get(LIST).status_code == 401


@pytest.mark.parametrize("name", ["alr_nonsense", "ord_01jd0000000000000000000000", "1"])
def test_an_identifier_of_another_kind_names_nothing(alert, officer, name):
    assert officer.get(f"{LIST}{name}/").status_code == 404


def test_acknowledging_records_who_when_and_the_note_and_is_anchored(world, alert, officer):
    answer = acknowledge(officer, alert)
    assert answer.status_code == 200
    given = answer.json()["acknowledgement"]
    assert (given["name"], given["organisation"], given["note"]) == ("温宁", "翼融运营", "已电话核实")
    alert.refresh_from_db()
    assert (alert.state, alert.acknowledged_by, alert.acknowledgement) == ("ACKED", world.officer, "已电话核实")
    event = Event.objects.get(type="alert.acknowledged")
    assert (event.chain, event.subject_id, event.actor_member) == ("supply", alert.id, world.officer.id)
    assert open_section(event.id, "act").content["note"] == "已电话核实"


def test_the_buyers_office_may_acknowledge_too(world, alert):
    assert acknowledge(client_of(world.office), alert).status_code == 200


def test_a_repeat_with_the_same_key_is_the_same_acknowledgement(alert, officer):
    first, again = acknowledge(officer, alert), acknowledge(officer, alert)
    assert again.status_code == 200
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replay"] == "true"
    assert Event.objects.filter(type="alert.acknowledged").count() == 1


def test_the_second_who_acknowledges_is_told_that_somebody_was_first(world, alert, officer):
    acknowledge(officer, alert)
    late = acknowledge(client_of(world.office), alert, note="我也看了")
    assert (late.status_code, late.json()["code"]) == (409, "alert-acknowledged")
    alert.refresh_from_db()
    assert alert.acknowledged_by == world.officer
    assert alert.acknowledgement == "已电话核实"
    assert Event.objects.filter(type="alert.acknowledged").count() == 1


@pytest.mark.parametrize("who", ["trader", "clerk", "engineer"])
def test_acknowledging_by_whom_it_is_not_for_looks_like_not_there(world, alert, who):
    refused = acknowledge(client_of(getattr(world, who)), alert)
    assert (refused.status_code, refused.json()["code"]) == (404, "not-found")
    alert.refresh_from_db()
    assert alert.state == "NEW"
    assert not Event.objects.filter(type="alert.acknowledged").exists()


def test_acknowledging_by_a_stranger_looks_like_not_there(world, alert):
    stranger = member("路人", organisation("别家", "BUYER"), "admin")
    assert acknowledge(client_of(stranger), alert).status_code == 404


def test_a_member_who_may_only_look_cannot_acknowledge(world, alert):
    refused = acknowledge(client_of(member("实习生", world.buyer, "viewer")), alert)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    alert.refresh_from_db()
    assert alert.state == "NEW"


@pytest.mark.parametrize("note", ["", "   ", "长" * 1001])
def test_a_note_is_one_to_a_thousand_characters(alert, officer, note):
    refused = acknowledge(officer, alert, note=note)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "note"


def test_an_acknowledgement_needs_an_idempotency_key(alert, officer):
    refused = officer.post(f"{url(alert)}acknowledgement", {"note": "好"}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (400, "idempotency-key-required")


def test_the_chart_counts_by_day_and_severity_what_the_reader_may_see(world, alert):
    chart = selectors.alert_chart(acting(world.officer), days=3)
    assert len(chart["days"]) == 3
    assert chart["P2"] == [0, 0, 1]
    assert chart["P1"] == [0, 0, 0]
    assert selectors.alert_chart(acting(world.trader), days=3)["P2"] == [0, 0, 0]


def test_the_metrics_count_open_alerts_and_the_age_of_the_oldest_unseen_p1(world, time_machine):
    time_machine.move_to("2026-11-23T10:00:00Z", tick=False)
    handlers.examine(world.sign_receipt(12_000))
    handlers.examine(world.sign_receipt(200_000))
    time_machine.move_to("2026-11-23T10:05:00Z", tick=False)
    read = {(name, *labels.values()): value for name, _, labels, value in selectors.readings()}
    assert read[("yirong_alerts_open", "P1")] == 1
    assert read[("yirong_alerts_open", "P2")] == 1
    assert read[("yirong_alerts_open", "P3")] == 0
    assert read[("yirong_oldest_p1_seconds",)] == 300
