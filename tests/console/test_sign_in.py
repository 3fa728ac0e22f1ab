import pytest
from django.test import Client

from backend.parties.models import LoginRecord

pytestmark = pytest.mark.django_db
DOOR = "/console/sign-in/"


def post(client: Client, username: str, password: str, **more: str):
    return client.post(DOOR, {"username": username, "password": password, **more})


def test_a_page_of_the_console_asks_a_stranger_to_sign_in_and_then_opens(cast):
    client = Client()
    assert client.get("/console/orders/").headers["Location"] == "/console/sign-in/?next=/console/orders/"
    answer = post(client, cast.office.person.username, "a long password 1", next="/console/orders/")
    assert answer.headers["Location"] == "/console/orders/"
    assert client.get("/console/orders/").status_code == 200


def test_a_wrong_password_is_said_on_the_page_and_recorded(cast):
    answer = post(Client(headers={"Accept-Language": "en"}), cast.office.person.username, "wrong")
    assert answer.status_code == 401
    assert "The user name or the password is wrong." in answer.text
    record = LoginRecord.objects.get()
    assert (record.result, record.failure_code) == ("refused", "password-wrong")


def test_the_sixth_try_is_locked_out_and_says_for_how_long(cast):
    client = Client(headers={"Accept-Language": "en"})
    for _ in range(5):
        post(client, cast.office.person.username, "wrong")
    answer = post(client, cast.office.person.username, "a long password 1")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 600
    assert "Too many failed attempts. Wait 10 minutes" in answer.text
    assert not client.session.get("_auth_user_id")


def test_signing_in_never_leads_to_a_foreign_host(cast):
    answer = post(Client(), cast.office.person.username, "a long password 1", next="https://evil.example/console/")
    assert answer.headers["Location"] == "/console/"


def test_signing_out_needs_a_post_and_ends_the_session(cast, console):
    client = console(cast.office)
    assert client.get("/console/sign-out/").status_code == 405
    assert client.post("/console/sign-out/").headers["Location"] == DOOR
    assert client.get("/console/").status_code == 302


def test_a_form_from_before_somebody_else_signed_in_is_refused_on_a_page_that_says_why(cast):
    client = Client(enforce_csrf_checks=True, headers={"Accept": "text/html", "Accept-Language": "en"})
    answer = client.post("/console/orders/new/", {"order_no": "PO-7"})
    assert answer.status_code == 403
    assert "This page is out of date" in answer.text
    assert client.post("/console/orders/new/", headers={"Accept": "*/*"}).json()["code"] == "forbidden"


def test_a_person_without_membership_is_told_so(cast, console):
    type(cast.office).objects.filter(id=cast.office.id).update(active=False)
    answer = console(cast.office).get("/console/")
    assert answer.status_code == 403
    assert "没有任何企业将您登记为成员" in answer.text


def test_the_language_is_switched_and_stays(cast, console):
    client = console(cast.office)
    assert "总览" in client.get("/console/").text
    client.post("/console/language/", {"language": "en", "next": "/console/"})
    page = client.get("/console/").text
    assert "Overview" in page
    assert '<html lang="en">' in page
