"""The phone pages at /m/, and the doors that only the demonstration has."""

import gzip

import httpx
import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from backend.parties.models import LoginRecord

ELSEWHERE = {"REMOTE_ADDR": "192.168.1.20"}


@pytest.fixture
def build(tmp_path, settings):
    """A build of the phone pages, in small."""
    folder = tmp_path / "h5"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>phone</title>" + " " * 500)
    (folder / "assets" / "index-3f2a.js").write_text("export {}" + " " * 500)
    (tmp_path / "secret").write_text("not to be served")
    settings.PHONE_BUILD = folder
    return folder


def test_the_phone_page_is_asked_for_anew_its_hashed_files_are_kept_for_ever(build):
    client = Client()
    page, script = client.get("/m/?handset=chen-li"), client.get("/m/assets/index-3f2a.js")
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-cache")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert script.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"


def test_files_of_the_phone_travel_compressed(build):
    answer = Client().get("/m/assets/index-3f2a.js", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.content).startswith(b"export {}")


@pytest.mark.parametrize(
    "name", ["assets/none.js", "assets", "../secret", "..%2fsecret", "%2e%2e/secret", "/etc/passwd"]
)
def test_nothing_outside_the_build_is_served(build, name, db):
    answer = Client().get(f"/m/{name}")
    assert answer.status_code in (400, 404)
    assert b"not to be served" not in answer.content


def test_without_a_build_the_page_says_how_to_make_one(settings, tmp_path, db):
    settings.PHONE_BUILD = tmp_path / "none"
    answer = Client(headers={"Accept-Language": "en"}).get("/m/")
    assert answer.status_code == 503
    assert "python3 manage.py up" in answer.text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path"), [("get", "handsets/"), ("post", "handsets/chen-li/code"), ("get", "console?as=wen-ning")]
)
@pytest.mark.parametrize("caller", [ELSEWHERE, {"headers": {"X-Forwarded-For": "203.0.113.9"}}, {"REMOTE_ADDR": ""}])
def test_the_doors_of_the_demonstration_open_on_this_machine_alone(ledger, method, path, caller):
    call_command("seed", "--demo")
    answer = getattr(Client(), method)(f"/demo/{path}", **caller)
    assert answer.status_code == 404
    assert not LoginRecord.objects.exists()


@pytest.mark.django_db
def test_outside_the_demonstration_they_are_not_there(ledger, settings):
    settings.DEMO = False
    assert Client().get("/demo/handsets/").status_code == 404
    assert Client().get("/demo/console?as=wen-ning").status_code == 404


@pytest.mark.django_db
def test_a_link_signs_in_to_the_console_and_is_recorded_like_any_sign_in(ledger):
    call_command("seed", "--demo")
    client = Client()
    assert client.get("/demo/console?as=wen-ning").headers["Location"] == "/console/"
    assert client.get("/console/alerts/").status_code == 200
    record = LoginRecord.objects.get()
    assert (record.channel, record.result, record.person.username) == ("console", "opened", "wen.ning")


@pytest.mark.django_db
def test_a_late_request_of_the_page_before_does_not_sign_out_the_page_after(ledger):
    """The page before asks again with its old cookie, after the link was followed and before the browser has left that page."""
    call_command("seed", "--demo")
    browser, page_before = Client(), Client()
    browser.get("/demo/console?as=wen-ning")
    page_before.cookies.load({settings.SESSION_COOKIE_NAME: browser.cookies[settings.SESSION_COOKIE_NAME].value})
    browser.get("/demo/console?as=he-chuan")

    late = page_before.get("/console/ledger/")
    browser.cookies.update(late.cookies)

    assert late.status_code == 200
    assert settings.SESSION_COOKIE_NAME not in late.cookies
    after = browser.get("/console/ledger/")
    assert after.status_code == 200
    assert after.wsgi_request.user.username == "he.chuan"
    assert LoginRecord.objects.filter(result="opened").count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("someone", ["chen-li", "nobody", ""])
def test_who_has_no_console_gets_no_sign_in(ledger, someone):
    call_command("seed", "--demo")
    assert Client().get("/demo/console", {"as": someone}).status_code == 404


@pytest.mark.django_db
def test_handsets_say_who_and_where():
    answer = Client().get("/demo/handsets/").json()
    assert {"chen-li", "su-qing", "ma-ye"} <= {one["id"] for one in answer}
    assert all(one["places"] and one["network"]["ip"] for one in answer)


@pytest.mark.django_db
def test_a_code_is_its_owners_or_whoevers_plays_the_handset(monkeypatch):
    monkeypatch.setattr("backend.console.demo.issue_code", lambda openid: f"code of {openid}")
    post = Client(enforce_csrf_checks=True).post
    own = post("/demo/handsets/su-qing/code", "{}", content_type="application/json")
    played = post("/demo/handsets/su-qing/code", '{"as": "chen-li"}', content_type="application/json")
    assert (own.json(), played.json()) == ({"code": "code of o-demo-su-qing"}, {"code": "code of o-demo-chen-li"})
    for body, status in (('{"as": "nobody"}', 404), ('{"as": ["chen-li"]}', 404), ("[]", 404), ("{", 400)):
        assert post("/demo/handsets/su-qing/code", body, content_type="application/json").status_code == status
    assert post("/demo/handsets/nobody/code", "{}", content_type="application/json").status_code == 404


@pytest.mark.django_db
def test_a_simulator_that_is_away_is_said(monkeypatch):
    def away(openid: str) -> str:
        raise httpx.ConnectError("refused")

    monkeypatch.setattr("backend.console.demo.issue_code", away)
    answer = Client().post("/demo/handsets/su-qing/code", "{}", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (503, "simulator-away")
