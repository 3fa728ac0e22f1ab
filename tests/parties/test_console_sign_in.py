import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.test import RequestFactory

from backend.core.errors import DomainError
from backend.core.events import Actor
from backend.core.models import Event
from backend.core.sections import open_section
from backend.parties import services
from backend.parties.auth import actor
from backend.parties.errors import LockedOut, NotEnrolled, PasswordWrong
from backend.parties.models import LoginRecord, Member, Person

RIGHT = "orange-boat-18-lamp"


@pytest.fixture
def browser(people):
    """A request of a browser that nobody has signed in to."""
    request = RequestFactory().post("/console/sign-in/", headers={"User-Agent": "Firefox/150"})
    request.session = SessionStore()
    request.user = None
    return request


def sign_in(browser, username="he.chuan", password=RIGHT, **more):
    return services.sign_in_console(username=username, password=password, request=browser, **more)


def test_a_password_opens_a_django_session_that_acts_as_the_member(browser, people):
    record = sign_in(browser)

    by = actor(browser)
    assert (by.person, by.member, by.organisation) == (people.admin.person_id, people.admin.id, people.buyer.id)
    assert (by.device, by.assurance, by.ip) == (None, "L1", "127.0.0.1")
    assert (record.channel, record.result, record.system) == ("console", "opened", "Firefox/150")
    event = Event.objects.get(type="session.opened")
    assert event.id == record.event and event.chain == "supply"
    act = open_section(event.id, "act").content
    assert (act["channel"], act["system"], act["ip"]) == ("console", "Firefox/150", "127.0.0.1")


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("he.chuan", "wrong"),
        ("nobody", RIGHT),
        ("", ""),
        ("he\0chuan", RIGHT),
        ("x" * 5000, RIGHT),
        ("he.chuan", "a\0b"),
        ("he.chuan", ""),
    ],
)
def test_a_wrong_password_and_a_name_that_nobody_has_look_the_same(browser, rows, username, password):
    before = rows()
    with pytest.raises(PasswordWrong) as refusal:
        sign_in(browser, username, password)
    assert refusal.value.detail == "The username or password is wrong"
    assert rows() == before
    assert LoginRecord.objects.get().failure_code == "password-wrong"
    assert "_auth_user_id" not in browser.session


def test_a_refusal_for_a_known_name_says_whose_for_the_rules(browser, people):
    with pytest.raises(PasswordWrong):
        sign_in(browser, password="wrong")
    assert LoginRecord.objects.get().person == people.admin.person
    assert Event.objects.get(type="session.refused").payload["person"] == str(people.admin.person_id)


def test_other_ways_to_write_a_username_are_the_same_source(browser):
    for name in ("he.chuan", "HE.CHUAN", " he.chuan ", "ｈｅ．ｃｈｕａｎ", "Ｈe.Chuan"):
        with pytest.raises(PasswordWrong):
            sign_in(browser, name, "wrong")
    for name in ("he.chuan", "HE.chuan"):
        with pytest.raises(LockedOut):
            sign_in(browser, name)


def test_a_username_is_known_however_it_is_written(browser, people):
    assert sign_in(browser, "ＨＥ．Chuan").person == people.admin.person


def test_somebody_without_an_active_membership_is_refused(browser, people, rows):
    Member.objects.filter(id=people.admin.id).update(active=False)
    before = rows()
    with pytest.raises(NotEnrolled):
        sign_in(browser)
    assert rows() == before


def test_staff_without_a_membership_may_sign_in_and_act_for_nobody(browser):
    Person.objects.create_superuser("Root", RIGHT)
    record = sign_in(browser, "root")
    assert record.member is None
    assert actor(browser) == Actor(person=record.person_id, assurance="L0", ip="127.0.0.1")


def test_somebody_inactive_is_refused(browser, people):
    Person.objects.filter(id=people.admin.person_id).update(is_active=False)
    with pytest.raises(PasswordWrong):
        sign_in(browser)


def test_a_membership_of_somebody_else_cannot_be_chosen(browser, people, rows):
    before = rows()
    with pytest.raises(DomainError) as refusal:
        sign_in(browser, member=people.stranger.id)
    assert refusal.value.code == "member-foreign" and rows() == before


def test_a_session_whose_membership_ended_acts_for_nobody_at_once_not_as_another_member(browser, people):
    Member.objects.create(person=people.admin.person, organisation=people.outsider, roles=["viewer"])
    sign_in(browser)
    Member.objects.filter(id=people.admin.id).update(active=False)
    assert actor(browser).member is None and actor(browser).organisation is None


def test_signing_out_ends_the_session(browser):
    sign_in(browser)
    services.sign_out_console(request=browser)
    assert "_auth_user_id" not in browser.session


def test_the_admin_site_has_no_sign_in_of_its_own_that_would_not_count(client, people):
    answer = client.post("/admin/login/?next=/admin/", {"username": "he.chuan", "password": RIGHT})
    assert answer.status_code == 302 and answer["Location"] == "/console/sign-in/?next=/admin/"
    client.force_login(people.admin.person)
    assert client.get("/admin/login/").status_code == 403
