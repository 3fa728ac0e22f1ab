"""Invitations: one person, one code, once; what guessing gets; who enrolled whom."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from backend.core import clock
from backend.core.errors import Forbidden, Malformed, NotFound
from backend.core.events import SYSTEM
from backend.core.ids import typed
from backend.core.models import Event, IdempotentAnswer
from backend.core.sections import open_section
from backend.parties import services
from backend.parties.errors import FirstAdministrator, InvitationEnded, InvitationInvalid, RoleForeign
from backend.parties.models import Invitation, LoginRecord, Member, Organisation, Person
from backend.parties.services.invitations import find_invitation
from tests.parties.client import PhoneClient
from tests.parties.test_revocation import acting

pytestmark = pytest.mark.django_db


@pytest.fixture
def invited(people, ledger):
    return services.invite(by=acting(people.admin), name="新来", name_en="New One", roles=["viewer", "signer"])


@pytest.fixture
def new_phone(people, wechat, ledger) -> PhoneClient:
    return PhoneClient(Client())


@pytest.fixture
def operator(people, ledger) -> Member:
    firm = Organisation.objects.create(
        uscc="91110000100006276K", name="运营", kind="OPERATOR", verification="VERIFIED", verified_method="x"
    )
    person = Person.objects.create_user(name="运", username="op")
    return Member.objects.create(person=person, organisation=firm, roles=["admin"])


def test_a_code_makes_somebody_unknown_a_member_with_what_was_invited(invited, new_phone, wechat, people):
    answer = new_phone.sign_in(wechat.code("o-new"), invitation=invited.code)
    assert answer.status_code == 201, answer.json()
    session = answer.json()["session"]
    assert (session["person"]["name"], session["member"]["roles"]) == ("新来", ["signer", "viewer"])
    joined = Member.objects.get(person__openid="o-new")
    assert (joined.organisation, joined.enrolled_by) == (people.buyer, people.admin)
    invited.invitation.refresh_from_db()
    assert (invited.invitation.state, invited.invitation.member) == ("accepted", joined)
    event = Event.objects.get(type="member.enrolled")
    assert event.actor_member == joined.id
    told = open_section(event.id, "act").content
    assert (told["enrolled_by"], told["roles"]) == (typed("member", people.admin.id), ["signer", "viewer"])
    assert open_section(event.id, "person").content["name"] == "新来"


@pytest.mark.parametrize(
    "write", [str.lower, lambda code: f"  {code.replace('-', ' ')} ", lambda c: c.replace("0", "o")]
)
def test_a_code_is_read_as_people_write_it(invited, write):
    assert find_invitation(write(invited.code)) == invited.invitation


def test_a_person_who_is_known_joins_a_second_organisation_and_acts_for_it(invited, new_phone, wechat, people):
    answer = new_phone.sign_in(wechat.code("o-eve"), invitation=invited.code)
    session = answer.json()["session"]
    assert session["organisation"]["id"] == typed("organisation", people.buyer.id)
    assert (session["person"]["name"], len(session["members"])) == ("旁人", 2)


def test_a_code_works_once(invited, new_phone, other_phone, wechat, rows):
    new_phone.sign_in(wechat.code("o-new"), invitation=invited.code)
    before = rows()
    answer = other_phone.sign_in(wechat.code("o-second"), invitation=invited.code)
    assert (answer.status_code, answer.json()["code"]) == (401, "invitation-invalid")
    assert rows() == before


def test_who_is_a_member_already_keeps_the_invitation_open(invited, new_phone, wechat, rows):
    before = rows()
    answer = new_phone.sign_in(wechat.code("o-chen"), invitation=invited.code)
    assert (answer.status_code, answer.json()["code"]) == (409, "already-member")
    assert rows() == before
    invited.invitation.refresh_from_db()
    assert (invited.invitation.state, invited.invitation.tries) == ("open", 0)
    assert LoginRecord.objects.latest("id").failure_code == "already-member"


def test_a_former_member_comes_back_with_the_new_roles(invited, new_phone, wechat, people):
    Member.objects.filter(id=people.clerk.id).update(active=False)
    assert new_phone.sign_in(wechat.code("o-chen"), invitation=invited.code).status_code == 201
    people.clerk.refresh_from_db()
    assert (people.clerk.active, people.clerk.roles) == (True, ["signer", "viewer"])
    assert people.clerk.enrolled_by == people.admin


def test_a_code_expires(invited, new_phone, wechat, rows):
    before = rows()
    with time_machine.travel(clock.now() + timedelta(days=7), tick=False):
        assert new_phone.sign_in(wechat.code("o-new"), invitation=invited.code).status_code == 401
        assert invited.invitation.state == "expired"
    assert rows() == before


def test_a_withdrawn_code_works_no_more(invited, people, rows):
    services.withdraw_invitation(by=acting(people.admin), invitation_id=invited.invitation.id)
    with pytest.raises(InvitationInvalid):
        find_invitation(invited.code)
    with pytest.raises(InvitationEnded):
        services.withdraw_invitation(by=acting(people.admin), invitation_id=invited.invitation.id)
    assert Event.objects.filter(type="invitation.withdrawn").count() == 1


def test_an_invitation_falls_with_who_issued_it(invited, new_phone, wechat, people, rows):
    Member.objects.filter(id=people.admin.id).update(roles=["viewer"])
    before = rows()
    assert new_phone.sign_in(wechat.code("o-new"), invitation=invited.code).status_code == 401
    assert rows() == before


def test_after_five_wrong_codes_the_right_one_is_refused_too(invited):
    wrong = invited.code[:-1] + ("A" if invited.code[-1] != "A" else "B")
    for _ in range(5):
        with pytest.raises(InvitationInvalid):
            find_invitation(wrong)
    with pytest.raises(InvitationInvalid):
        find_invitation(invited.code)
    invited.invitation.refresh_from_db()
    assert (invited.invitation.state, invited.invitation.tries) == ("guessed", 5)


@pytest.mark.parametrize("code", ["", "0", "0" * 12, "x" * 500, "\0" * 12, "密码密码密码密码密码密码"])
def test_what_is_no_code_finds_nothing_and_counts_against_nobody(invited, code):
    with pytest.raises(InvitationInvalid):
        find_invitation(code)
    invited.invitation.refresh_from_db()
    assert invited.invitation.tries == 0


def test_guessing_from_one_phone_is_locked_out(invited, new_phone, wechat):
    for number in range(5):
        assert new_phone.sign_in(wechat.code("o-new"), invitation=f"00000000000{number}").status_code == 401
    answer = new_phone.sign_in(wechat.code("o-new"), invitation=invited.code)
    assert (answer.status_code, answer.json()["code"]) == (429, "locked-out")
    assert invited.invitation.state == "open"


def test_the_code_stands_nowhere_but_in_its_one_answer(people, client, settings):
    client.force_login(people.admin.person)
    body = json.dumps({"name": "新来", "roles": ["viewer"]})
    headers = {"Idempotency-Key": "12345678"}
    first, again = (
        client.post("/api/v1/invitations/", body, content_type="application/json", headers=headers) for _ in range(2)
    )
    code = first.json()["code"]
    assert (first.status_code, first["Cache-Control"], len(code)) == (201, "no-store", 14)
    assert (again["Idempotent-Replay"], again.json()["code"]) == ("true", None)
    assert again.json()["id"] == first.json()["id"]
    assert code not in client.get("/api/v1/invitations/").text
    row = Invitation.objects.get()
    assert code.replace("-", "") not in f"{row.code_digest} {row.locator}"
    kept = " ".join(str(row.body) for row in IdempotentAnswer.objects.all())
    events = " ".join(f"{one.payload} {bytes(one.leaf)!r}" for one in Event.objects.exclude(chain=None))
    assert not [text for text in (code, code.replace("-", "")) if text in kept + events]
    assert "新来" not in events


@pytest.mark.parametrize(
    ("who", "refusal"), [("clerk", Forbidden), ("stranger", NotFound)], ids=["not an administrator", "a stranger"]
)
def test_nobody_else_invites_into_the_organisation(people, who, refusal, rows):
    before = rows()
    with pytest.raises(refusal):
        services.invite(by=acting(getattr(people, who)), name="x", roles=["viewer"], organisation=people.buyer.id)
    assert (rows(), Invitation.objects.count()) == (before, 0)


@pytest.mark.parametrize(
    ("roles", "refusal"),
    [(["driver"], RoleForeign), (["viewer", "king"], Malformed), ([], Malformed)],
)
def test_a_role_that_the_organisation_has_not_is_not_given(people, roles, refusal):
    with pytest.raises(refusal) as raised:
        services.invite(by=acting(people.admin), name="x", roles=roles)
    assert raised.value.errors[0]["field"] == "roles"
    assert not Invitation.objects.exists()


def test_the_operator_invites_the_first_administrator_and_no_second(people, operator, new_phone, other_phone, wechat):
    Member.objects.filter(id=people.stranger.id).update(active=False)
    ask = {"by": acting(operator), "organisation": people.outsider.id, "name": "首位"}
    with pytest.raises(FirstAdministrator):
        services.invite(**ask, roles=["viewer"])
    first, spare = (services.invite(**ask, roles=["admin", "maker"]) for _ in range(2))
    assert new_phone.sign_in(wechat.code("o-first"), invitation=first.code).status_code == 201
    joined = Member.objects.get(person__openid="o-first")
    assert (joined.organisation, joined.enrolled_by) == (people.outsider, operator)
    with pytest.raises(FirstAdministrator):
        services.invite(**ask, roles=["admin"])
    assert other_phone.sign_in(wechat.code("o-other"), invitation=spare.code).status_code == 401
    assert not Person.objects.filter(openid="o-other").exists()


def test_a_counterparty_cannot_bring_in_anothers_first_administrator(people):
    Member.objects.filter(id=people.admin.id).update(active=False)
    with pytest.raises(NotFound):
        services.invite(by=acting(people.stranger), name="x", roles=["admin"], organisation=people.buyer.id)
    with pytest.raises(Forbidden):
        services.enrol_member(
            by=acting(people.stranger), person=people.chen, organisation=people.buyer, roles=["admin"]
        )
    assert not Invitation.objects.exists()


def test_the_servers_own_command_begins_with_the_operator(operator):
    Member.objects.filter(id=operator.id).update(active=False)
    invited = services.invite(by=SYSTEM, organisation=operator.organisation_id, name="首位", roles=["admin"])
    assert (invited.invitation.issued_by, find_invitation(invited.code).organisation) == (None, operator.organisation)
