import threading

import pytest
from django.db import IntegrityError, connection, transaction

from backend.core import events
from backend.core.models import Event
from backend.core.sections import open_section
from backend.parties.models import Member
from backend.risk import handlers, rules, selectors, services
from backend.risk.findings import ASKED
from backend.risk.models import Alert, Signal
from backend.risk.rules import R21, Finding, Mode, Result
from tests.risk.world import World, acting, ago, order_between, organisation


def far_away(order, *, band="R21.02", key="R21:receipt:1"):
    return Finding(
        rule=R21,
        result=Result(band, {"distance_m": 12_000, "radius_m": 300}),
        key=key,
        subject=("receipt", order.id),
        order=order.id,
        endangered=(order.buyer_id,),
    )


def test_the_clean_story_raises_no_alert(world):
    for event in (
        world.sign_in(world.clerk, world.clerks_phone),
        world.sign_in(world.trader, world.traders_phone),
        world.refuse(person=world.clerk.person),
        world.sign_order(world.clerk, world.clerks_phone),
        world.sign_order(world.trader, world.traders_phone),
        world.sign_receipt(40),
    ):
        handlers.examine(event)
    assert not Alert.objects.exists()
    assert not Signal.objects.exists()


def test_a_receipt_signed_twelve_kilometres_away_raises_one_alert_with_its_reason(world):
    event = world.sign_receipt(12_000)
    handlers.examine(event)
    alert = Alert.objects.get()
    assert (alert.rule, alert.band, alert.severity, alert.state) == ("R21", "R21.03", "P2", "NEW")
    assert alert.order == world.order
    assert alert.subject_id == event.subject_id
    assert alert.values == {"distance_m": 12_000, "radius_m": 300}
    assert set(alert.entitled.all()) == {world.buyer}


def test_a_receipt_without_a_place_raises_nothing(world):
    handlers.examine(world.sign_receipt(None))
    assert not Signal.objects.exists()


def test_the_buyer_signing_from_the_sellers_handset_raises_place_and_device(world):
    handlers.examine(world.sign_in(world.trader, world.traders_phone))
    assert not Alert.objects.exists()
    handlers.examine(world.sign_in(world.clerk, world.traders_phone))
    handlers.examine(world.sign_receipt(12_000, who=world.clerk, on=world.traders_phone))
    assert dict(Alert.objects.values_list("rule", "severity")) == {"R21": "P2", "R27": "P1"}
    device_alert = Alert.objects.get(rule="R27")
    assert device_alert.occurrences == 2
    assert device_alert.order == world.order
    assert set(device_alert.entitled.all()) == {world.buyer}
    assert set(device_alert.suspected.all()) == {world.clerk, world.trader}


def test_signing_for_the_buyer_after_confirming_for_the_seller_on_one_device_is_found_without_any_sign_in(world):
    handlers.examine(world.sign_order(world.trader, world.traders_phone, at=ago(days=89)))
    handlers.examine(world.sign_order(world.clerk, world.traders_phone))
    assert Alert.objects.get().band == "R27.03"


def test_what_the_other_side_did_on_the_device_over_ninety_days_ago_is_forgotten(world):
    handlers.examine(world.sign_order(world.trader, world.traders_phone, at=ago(days=90, minutes=1)))
    handlers.examine(world.sign_order(world.clerk, world.traders_phone))
    assert not Alert.objects.exists()


def test_three_firms_that_do_not_trade_with_each_other_on_one_device_are_p2_until_two_of_them_do(world):
    others = [organisation("甲", "BUYER"), organisation("乙", "FACTORY")]
    people = [
        world.clerk,
        *(Member.objects.create(person=world.clerk.person, organisation=one) for one in others),
    ]
    for person in people:
        handlers.examine(world.sign_in(person, world.clerks_phone))
    alert = Alert.objects.get()
    assert (alert.band, alert.severity, alert.occurrences) == ("R27.02", "P2", 1)
    assert not alert.entitled.exists()

    order_between(others[0], others[1], world.trader)
    handlers.examine(world.sign_in(world.clerk, world.clerks_phone))
    alert.refresh_from_db()
    assert (alert.band, alert.occurrences, alert.entitled.exists()) == ("R27.02", 1, False)
    opposed = Alert.objects.get(band="R27.03")
    assert (opposed.severity, opposed.occurrences, set(opposed.entitled.all())) == ("P1", 1, {others[0]})


def test_two_buyers_on_one_handset_of_their_seller_learn_each_of_their_own_trade_alone(world):
    other = organisation("另一采购方", "BUYER")
    theirs = order_between(other, world.seller, world.trader)
    clerk = Member.objects.create(person=world.clerk.person, organisation=other, roles=["signer"])
    office = Member.objects.create(person=world.officer.person, organisation=other, roles=["admin"])
    handlers.examine(world.sign_in(world.trader, world.traders_phone))
    handlers.examine(world.sign_order(world.clerk, world.traders_phone))
    handlers.examine(world.sign_order(clerk, world.traders_phone, order=theirs))
    assert Alert.objects.count() == 2
    for buyer, watching, order in ((world.buyer, world.office, world.order), (other, office, theirs)):
        alert = selectors.visible_alerts(acting(watching)).get()
        assert set(alert.entitled.all()) == {buyer}
        assert (alert.order, alert.values["buyer_zh"]) == (order, buyer.name)
    first = Alert.objects.get(entitled=world.buyer)
    assert first.occurrences == 2, "the handset's next act endangers the first buyer still"
    assert Signal.objects.count() == 3


def test_five_refused_sign_ins_of_one_source_raise_one_alert_and_more_count_on_it(world):
    for minutes in (12, 4, 3, 2, 1):
        handlers.examine(world.refuse(source="a", at=ago(minutes=minutes)))
        handlers.examine(world.refuse(source=f"other{minutes}"))
    assert not Alert.objects.exists()
    handlers.examine(world.refuse(source="a"))
    alert = Alert.objects.get()
    assert (alert.rule, alert.severity, alert.subject_type, alert.subject_id) == ("R31", "P3", "source", None)
    handlers.examine(world.refuse(source="a"))
    alert.refresh_from_db()
    assert alert.occurrences == 2


def test_refusals_of_a_recognised_person_are_counted_for_the_person_wherever_they_come_from(world):
    for number in range(5):
        handlers.examine(world.refuse(source=f"s{number}", person=world.office.person))
    alert = Alert.objects.get()
    assert (alert.subject_type, alert.subject_id) == ("person", world.office.person_id)
    assert set(alert.entitled.all()) == {world.buyer}


def test_refusals_of_a_sellers_person_are_the_operators_business_alone(world):
    for _ in range(5):
        handlers.examine(world.refuse(person=world.trader.person))
    assert not Alert.objects.get().entitled.exists()


def test_an_event_handled_twice_counts_once(world):
    event = world.sign_receipt(12_000)
    handlers.examine(event)
    handlers.examine(event)
    assert Alert.objects.get().occurrences == 1
    assert Signal.objects.count() == 1
    assert Event.objects.filter(type="alert.raised").count() == 1


def test_severity_rises_with_a_worse_hit_and_must_be_looked_at_anew(world):
    first, second = world.sign_receipt(0), world.sign_receipt(0)
    alert = services.raise_alert(finding=far_away(world.order, band="R21.02"), event=first)
    services.acknowledge_alert(by=acting(world.officer), alert_id=alert.id, note="看过")
    services.raise_alert(finding=far_away(world.order, band="R21.04"), event=second)
    alert.refresh_from_db()
    assert (alert.severity, alert.band, alert.occurrences, alert.state) == ("P1", "R21.04", 2, "NEW")
    assert Event.objects.filter(type="alert.raised", subject_id=alert.id).count() == 2


def test_severity_never_falls_with_a_milder_hit(world):
    first, second = world.sign_receipt(0), world.sign_receipt(0)
    alert = services.raise_alert(finding=far_away(world.order, band="R21.04"), event=first)
    services.raise_alert(finding=far_away(world.order, band="R21.02"), event=second)
    alert.refresh_from_db()
    assert (alert.severity, alert.band, alert.occurrences) == ("P1", "R21.04", 2)
    assert alert.last_seen == second.time
    assert Event.objects.filter(type="alert.raised").count() == 1


def test_raising_is_anchored_with_rule_reason_and_cause(world):
    event = world.sign_receipt(12_000)
    handlers.examine(event)
    raised = Event.objects.get(type="alert.raised")
    assert raised.chain == "supply"
    assert raised.id == Alert.objects.get().event_id
    content = open_section(raised.id, "document").content
    assert (content["rule"], content["band"], content["severity"]) == ("R21", "R21.03", "P2")
    assert "12.0 km" in content["reason"]["en"]
    assert content["values"] == {"distance_m": 12_000, "radius_m": 300}


def test_a_rule_in_shadow_keeps_its_signal_and_tells_nobody(world, monkeypatch):
    monkeypatch.setitem(rules.MODES, "R21", Mode.SHADOW)
    handlers.examine(world.sign_receipt(12_000))
    assert Signal.objects.get().alert is None
    assert not Alert.objects.exists()
    assert not Event.objects.filter(type="alert.raised").exists()


def test_a_rule_that_is_off_is_not_asked(world, monkeypatch):
    monkeypatch.setitem(rules.MODES, "R21", Mode.OFF)
    handlers.examine(world.sign_receipt(12_000))
    assert not Signal.objects.exists()


def test_the_database_holds_one_open_alert_a_key(world):
    alert = services.raise_alert(finding=far_away(world.order), event=world.sign_receipt(0))
    with pytest.raises(IntegrityError), transaction.atomic():
        Alert.objects.create(
            rule="R21",
            rule_version=1,
            band="R21.02",
            severity="P3",
            key=alert.key,
            first_seen=alert.first_seen,
            last_seen=alert.last_seen,
            event_id=alert.event_id,
        )


def test_after_an_alert_was_closed_the_next_hit_opens_another(world):
    first, second = world.sign_receipt(0), world.sign_receipt(0)
    alert = services.raise_alert(finding=far_away(world.order), event=first)
    Alert.objects.filter(id=alert.id).update(state="CLOSED")
    another = services.raise_alert(finding=far_away(world.order), event=second)
    assert another.id != alert.id


@pytest.mark.django_db(transaction=True)
def test_two_hits_of_one_key_at_the_same_moment_make_one_alert_with_two_occurrences():
    world = World.build()
    events = [world.sign_receipt(0) for _ in range(2)]
    together, failures = threading.Barrier(2), []

    def hit(event):
        try:
            together.wait(10)
            services.raise_alert(finding=far_away(world.order), event=event)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=hit, args=(event,)) for event in events]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert Alert.objects.get().occurrences == 2
    assert Signal.objects.filter(alert=Alert.objects.get()).count() == 2
    assert Event.objects.filter(type="alert.raised").count() == 1


def test_the_subscriber_is_registered_and_asks_every_rule():
    assert "risk" in events.subscribers()
    assert {rule.id for asked in ASKED.values() for rule, _ in asked} == set(rules.RULES)
