"""The People page, the operator's page of organisations, and the door for those who were invited."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from backend.core import clock
from backend.core.ids import typed
from backend.core.models import Event
from backend.parties import services
from backend.parties.models import Delegation, Device, Invitation, Member, Organisation, Person
from tests.cast import member, office, organisation, phone_of

pytestmark = pytest.mark.django_db
PEOPLE, JOIN, ORGANISATIONS = "/console/people/", "/console/invitation/", "/console/organisations/"


def code_on(page) -> str:
    return re.search(r'id="code">([^<]+)<', page.text)[1]


def filled(**changes: str) -> dict[str, str]:
    return {"username": "New.One", "password": "orange-boat-21-lamp", "again": "orange-boat-21-lamp"} | changes


@pytest.fixture
def browser() -> Client:
    return Client(headers={"Accept": "text/html", "Accept-Language": "en"})


def test_an_administrator_invites_and_the_invited_joins_with_a_password(cast, console, browser):
    page = console(cast.office, "en").post(f"{PEOPLE}invitations/new/", {"name": "新来", "roles": ["viewer", "signer"]})
    assert (page.status_code, "no-store" in page["Cache-Control"], page.text.count("<svg")) == (201, True, 2)
    code = code_on(page)
    assert f"{JOIN}#{code}" in page.text
    answer = browser.post(JOIN, filled(code=code))
    assert (answer.status_code, answer["Location"]) == (302, "/console/")
    joined = Member.objects.get(person__username="new.one")
    assert (joined.organisation, joined.roles, joined.enrolled_by) == (cast.buyer, ["signer", "viewer"], cast.office)
    assert "新来" in browser.get("/console/").text
    listed = console(cast.office, "en").get(PEOPLE).text
    assert "新来" in listed
    assert code not in listed


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"password": "short", "again": "short"}, 422, "password"),
        ({"password": "password1234", "again": "password1234"}, 422, "password"),
        ({"again": "something else 1"}, 422, "again"),
        ({"username": "a b"}, 422, "username"),
        ({"username": "Clerk.Buyer"}, 409, "username"),
        ({"code": "0000-0000-0000"}, 401, "code"),
    ],
)
def test_what_is_not_right_is_named_and_leaves_everything_as_it_was(cast, browser, changes, status, field):
    invited = services.invite(by=office(cast.office), name="新来", roles=["viewer"])
    before = (Person.objects.count(), Member.objects.count(), Event.objects.exclude(chain=None).count())
    answer = browser.post(JOIN, filled(code=invited.code) | changes)
    assert (answer.status_code, list(answer.context["form"].errors)) == (status, [field])
    assert (Person.objects.count(), Member.objects.count(), Event.objects.exclude(chain=None).count()) == before
    invited.invitation.refresh_from_db()
    assert (invited.invitation.state, invited.invitation.tries) == ("open", 0)
    assert "orange-boat-21-lamp" not in answer.text


def test_guessing_at_the_console_is_locked_out(cast, browser):
    invited = services.invite(by=office(cast.office), name="新来", roles=["viewer"])
    for number in range(5):
        assert browser.post(JOIN, filled(code=f"00000000000{number}")).status_code == 401
    answer = browser.post(JOIN, filled(code=invited.code))
    assert (answer.status_code, int(answer["Retry-After"]) > 0) == (429, True)
    assert "Too many failed attempts" in answer.text
    assert not Person.objects.filter(username="new.one").exists()


def test_a_code_in_the_query_is_not_read(cast, browser):
    """So that nobody builds a link that writes codes into logs."""
    page = browser.get(f"{JOIN}?code=AAAA-BBBB-CCCC")
    assert not page.context["form"]["code"].value()


@pytest.mark.parametrize("who", ["driver", "risk"])
def test_who_is_neither_administrator_nor_signer_is_refused(cast, console, who):
    client = console(getattr(cast, who), "en")
    assert 'href="/console/people/"' not in client.get("/console/ledger/").text
    for path in (PEOPLE, f"{PEOPLE}invitations/new/", f"{PEOPLE}delegations/new/", ORGANISATIONS):
        assert client.get(path).status_code == 403, path
    assert client.post(f"{PEOPLE}invitations/new/", {"name": "x", "roles": ["viewer"]}).status_code == 403
    assert not Invitation.objects.exists()


def test_a_signer_sees_delegations_and_no_members(cast, console):
    client = console(cast.clerk, "en")
    page = client.get(PEOPLE).text
    assert "Delegations" in page
    assert "Members" not in page
    assert client.get(f"{PEOPLE}{typed('member', cast.office.id)}/").status_code == 403


def test_a_stranger_finds_nobody_of_another_organisation(cast, console):
    client = console(cast.stranger)
    phone_of(cast.clerk)
    invited = services.invite(by=office(cast.office), name="新来", roles=["viewer"])
    paths = [
        f"{PEOPLE}{typed('member', cast.clerk.id)}/",
        f"{PEOPLE}{typed('member', cast.clerk.id)}/revocation/",
        f"{PEOPLE}devices/{typed('device', Device.objects.get().id)}/revocation/",
        f"{PEOPLE}invitations/{typed('invitation', invited.invitation.id)}/withdrawal/",
    ]
    for path in paths:
        assert (client.get(path).status_code, client.post(path).status_code) == (404, 404), path
    assert Member.objects.get(id=cast.clerk.id).active
    assert "Clerk" not in client.get(PEOPLE).text


def test_roles_are_changed_and_the_last_administrator_stays(cast, console):
    client = console(cast.office, "en")
    path = f"{PEOPLE}{typed('member', cast.clerk.id)}/"
    assert client.post(path, {"roles": ["viewer", "checker"]}).status_code == 302
    assert Member.objects.get(id=cast.clerk.id).roles == ["checker", "viewer"]
    own = f"{PEOPLE}{typed('member', cast.office.id)}/"
    answer = client.post(own, {"roles": ["maker"]})
    assert answer.status_code == 422
    assert "keeps at least one administrator" in answer.text
    assert client.post(path, {}).status_code == 422
    assert Member.objects.get(id=cast.office.id).roles == ["maker", "admin"]


def test_what_cannot_be_undone_is_asked_once_more(cast, console):
    phone = phone_of(cast.clerk)
    client = console(cast.office, "en")
    member_path = f"{PEOPLE}{typed('member', cast.clerk.id)}/revocation/"
    device_path = f"{PEOPLE}devices/{phone.session['device']['id']}/revocation/"
    assert "Revoke the handset Test phone?" in client.get(device_path).text
    assert "Revoke Clerk?" in client.get(member_path).text
    assert phone.get("/api/v1/session/")[0] == 200
    assert client.post(device_path, follow=True).status_code == 200
    assert Device.objects.get().revoked_at
    assert "Clerk was revoked" in client.post(member_path, follow=True).text
    assert not Member.objects.get(id=cast.clerk.id).active
    own = client.post(f"{PEOPLE}{typed('member', cast.office.id)}/revocation/", follow=True)
    assert "keeps at least one administrator" in own.text


def test_a_delegation_is_granted_shown_and_revoked(cast, console):
    client = console(cast.clerk, "en")
    soon = clock.now() + timedelta(days=2)
    form = {
        "to_member": str(cast.office.id),
        "doc_types": ["order", "receipt"],
        "max_amount": "500000.00",
        "valid_from": f"{clock.now():%Y-%m-%dT%H:%M}",
        "valid_to": f"{soon:%Y-%m-%dT%H:%M}",
    }
    refused = client.post(f"{PEOPLE}delegations/new/", form | {"max_amount": "0", "doc_types": []})
    assert (refused.status_code, set(refused.context["form"].errors)) == (422, {"max_amount", "doc_types"})
    late = client.post(f"{PEOPLE}delegations/new/", form | {"valid_to": "2020-01-01T00:00"})
    assert (late.status_code, list(late.context["form"].errors)) == (422, ["valid_to"])
    assert not Delegation.objects.exists()
    page = client.post(f"{PEOPLE}delegations/new/", form, follow=True).text
    assert "¥500,000.00" in page
    path = f"{PEOPLE}delegations/{typed('delegation', Delegation.objects.get().id)}/revocation/"
    assert client.get(path).status_code == 200
    assert "The delegation was revoked" in client.post(path, follow=True).text
    assert Delegation.objects.get().revoked_at


@pytest.fixture
def operator(cast, console) -> Client:
    return console(member(cast.operator, "Founder", "admin"), "en")


def test_the_operator_adds_verifies_and_hands_over_an_organisation(cast, operator, browser):
    wrong = {"uscc": "91310115MA1LQYX08N", "name": "新公司", "kind": "FACTORY"}
    answer = operator.post(f"{ORGANISATIONS}new/", wrong)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["uscc"])
    page = operator.post(f"{ORGANISATIONS}new/", wrong | {"uscc": "91310115MA1LQYX08M"}, follow=True)
    made = Organisation.objects.get(name="新公司")
    path = f"{ORGANISATIONS}{typed('organisation', made.id)}/"
    assert page.redirect_chain[-1][0] == path
    operator.post(f"{path}verification/", {"method": "bank_transfer", "reference": "T-1"})
    made.refresh_from_db()
    assert (made.verification, made.verified_method) == ("VERIFIED", "bank_transfer")
    code = code_on(operator.post(f"{path}administrator/", {"name": "首位"}))
    browser.post(JOIN, filled(code=code))
    joined = Member.objects.get(organisation=made)
    assert (joined.roles, joined.enrolled_by.organisation) == (["admin"], cast.operator)
    again = operator.post(f"{path}administrator/", {"name": "第二位"}, follow=True).text
    assert "This organisation has an administrator" in again
    assert operator.post(f"{path}verification/revocation/", {"reason": " "}).status_code == 422
    operator.post(f"{path}verification/revocation/", {"reason": "A forged licence."})
    made.refresh_from_db()
    assert made.verification == "CLAIMED"
    assert "A forged licence." in operator.get(path).text


def test_organisations_are_found_by_name_and_by_code(cast, operator):
    page = operator.get(ORGANISATIONS, {"q": "sell"}).text
    assert "Seller" in page
    assert "Outsider" not in page
    assert cast.carrier.uscc in operator.get(ORGANISATIONS, {"q": cast.carrier.uscc[3:]}).text
    assert "None has this name or code" in operator.get(ORGANISATIONS, {"q": "nobody\0"}).text


def test_people_pages_stay_within_their_query_budgets(cast, console, operator, django_assert_max_num_queries):
    for number in range(8):
        member(cast.buyer, f"One{number}", "viewer")
        services.invite(by=office(cast.office), name=f"Guest {number}", roles=["viewer"])
        organisation(f"91310115MA1TEX{number}B1", f"Firm {number}", "SELLER")
    client = console(cast.office)
    with django_assert_max_num_queries(12):
        assert client.get(PEOPLE).status_code == 200
    with django_assert_max_num_queries(14):
        assert operator.get(ORGANISATIONS).status_code == 200
