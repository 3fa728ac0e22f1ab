"""Who learns of an alert: by push, by the API, and by the raised event itself."""

import pytest

from backend.core import push
from backend.core.ids import typed
from backend.core.models import Event
from backend.risk import handlers, selectors
from backend.risk.models import Alert
from tests.risk.world import acting, member, organisation


@pytest.fixture
def told(monkeypatch, django_capture_on_commit_callbacks):
    """Runs something and gives back what was pushed: {member or organisation: [messages]}, messages of alerts only."""

    def run(what):
        sent = {}

        def send_now(pushes):
            for told in pushes:
                for one in told.audience if told.kind == "alert.changed" else ():
                    sent.setdefault(one, []).append(told.ids)

        monkeypatch.setattr(push, "send_now", send_now)
        with django_capture_on_commit_callbacks(execute=True):
            what()
        return sent

    return run


def sees(who):
    return set(selectors.visible_alerts(acting(who)).values_list("rule", flat=True))


def borrowed_buyer(world):
    """The buyer's clerk is played from the seller's handset."""
    handlers.examine(world.sign_in(world.trader, world.traders_phone))
    handlers.examine(world.sign_in(world.clerk, world.traders_phone))
    handlers.examine(world.sign_receipt(12_000, who=world.clerk, on=world.traders_phone))


def test_the_risk_officer_and_the_buyers_office_see_what_the_borrowed_buyer_did(world):
    borrowed_buyer(world)
    assert sees(world.officer) == {"R21", "R27"}
    assert sees(world.office) == {"R21", "R27"}


def test_the_seller_sees_nothing(world):
    borrowed_buyer(world)
    assert sees(world.trader) == set()
    assert sees(member("另一人", world.seller, "admin", "risk_officer")) == set()


def test_the_account_that_was_played_sees_nothing_although_its_company_does(world):
    borrowed_buyer(world)
    assert sees(world.clerk) == set()


def test_a_suspect_sees_nothing_as_a_member_of_another_entitled_company_either(world):
    borrowed_buyer(world)
    other = organisation("另一采购方", "BUYER")
    Alert.objects.get(rule="R27").entitled.add(other)
    assert sees(other.members.create(person=world.trader.person, roles=["admin"])) == set()
    assert sees(member("同事", other, "viewer")) == {"R27"}


def test_of_the_operator_only_risk_officers_see_alerts(world):
    borrowed_buyer(world)
    assert sees(world.engineer) == set()


def test_who_only_claims_to_be_the_operator_sees_and_is_told_nothing(world, told):
    impostor = member("冒名者", organisation("自称运营方", "OPERATOR"), "risk_officer", "admin")
    sent = told(lambda: borrowed_buyer(world))
    assert sees(impostor) == set()
    assert impostor.id not in sent
    assert all(impostor.id not in selectors.watchers(alert) for alert in Alert.objects.all())
    assert sees(world.officer) == {"R21", "R27"}


def test_a_stranger_and_a_member_who_left_see_nothing(world):
    borrowed_buyer(world)
    assert sees(member("路人", organisation("别家", "BUYER"), "admin", "risk_officer")) == set()
    world.office.active = False
    world.office.save()
    assert sees(world.office) == set()


def test_a_new_alert_is_pushed_to_its_watchers_and_to_nobody_else(world, told):
    sent = told(lambda: handlers.examine(world.sign_receipt(12_000)))
    assert set(sent) == {world.officer.id, world.office.id}
    alert = Alert.objects.get()
    assert [message["alert"] for message in sent[world.officer.id]] == [typed("alert", alert.id)]


def test_a_push_carries_the_alerts_id_and_nothing_of_what_it_is_about(world, told):
    sent = told(lambda: handlers.examine(world.sign_receipt(12_000)))
    (message,) = sent[world.office.id]
    assert set(message) <= {"alert", "event", "type_"}


def test_a_further_occurrence_is_pushed_to_the_same_watchers_again(world, told):
    borrowed_buyer(world)
    sent = told(lambda: handlers.examine(world.sign_in(world.clerk, world.traders_phone)))
    assert set(sent) == {world.officer.id, world.office.id}
    assert Event.objects.filter(type="alert.raised").count() == 2


def test_whom_push_tells_is_exactly_whom_the_api_shows(world):
    borrowed_buyer(world)
    everybody = [world.clerk, world.office, world.trader, world.officer, world.engineer]
    for alert in Alert.objects.all():
        shown = {one.id for one in everybody if selectors.visible_alerts(acting(one)).filter(id=alert.id).exists()}
        assert set(selectors.watchers(alert)) == shown


def test_the_raised_event_is_for_the_watchers_alone(world):
    handlers.examine(world.sign_receipt(12_000))
    raised = Event.objects.get(type="alert.raised")
    assert set(raised.audience) == {str(world.officer.id), str(world.office.id)}
