"""Members: their roles, their handsets, and the administrator who always remains."""

import pytest

from backend.core.errors import Forbidden, Malformed, NotFound
from backend.core.ids import typed
from backend.core.models import Event
from backend.core.sections import open_section
from backend.parties import services
from backend.parties.errors import LastAdministrator, RoleForeign
from backend.parties.models import Member
from tests.cast import Cast, make_cast, office, phone_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(ledger) -> Cast:
    return make_cast()


def test_an_administrator_changes_roles_and_the_change_is_an_event(cast):
    services.change_roles(by=office(cast.office), member_id=cast.clerk.id, roles=["viewer", "checker", "viewer"])
    cast.clerk.refresh_from_db()
    assert cast.clerk.roles == ["checker", "viewer"]
    event = Event.objects.get(type="member.roles_changed")
    told = open_section(event.id, "act").content
    assert (told["roles_before"], told["roles"]) == (["signer"], ["checker", "viewer"])
    services.change_roles(by=office(cast.office), member_id=cast.clerk.id, roles=["viewer", "checker"])
    assert Event.objects.count() == 1


@pytest.mark.parametrize(
    ("who", "whom", "roles", "refusal"),
    [
        ("clerk", "clerk", ["admin"], Forbidden),
        ("stranger", "clerk", ["viewer"], NotFound),
        ("office", "sales", ["viewer"], NotFound),
        ("office", "clerk", ["driver"], RoleForeign),
        ("office", "clerk", [], Malformed),
        ("office", "office", ["maker"], LastAdministrator),
    ],
)
def test_what_may_not_be_changes_nothing(cast, who, whom, roles, refusal):
    before = getattr(cast, whom).roles
    with pytest.raises(refusal):
        services.change_roles(by=office(getattr(cast, who)), member_id=getattr(cast, whom).id, roles=roles)
    assert Member.objects.get(id=getattr(cast, whom).id).roles == before
    assert not Event.objects.exists()


def test_the_last_administrator_is_not_revoked_and_of_two_one_may_be(cast):
    by = office(cast.office)
    with pytest.raises(LastAdministrator):
        services.revoke_member(by=by, member_id=cast.office.id)
    services.change_roles(by=by, member_id=cast.clerk.id, roles=["admin", "signer"])
    services.revoke_member(by=office(cast.clerk), member_id=cast.office.id)
    # whoever was revoked a moment ago revokes nobody
    with pytest.raises((Forbidden, NotFound)):
        services.revoke_member(by=by, member_id=cast.clerk.id)
    assert [Member.objects.get(id=one.id).active for one in (cast.office, cast.clerk)] == [False, True]


def test_by_the_api_an_administrator_sees_the_own_members_alone(cast):
    admin, clerk, stranger = phone_of(cast.office), phone_of(cast.clerk), phone_of(cast.stranger)
    seen = admin.get("/api/v1/members/")[1]["results"]
    assert {one["person"]["name"] for one in seen} == {"Clerk", "Office"}
    assert clerk.get("/api/v1/members/")[1]["results"] == []
    path = f"/api/v1/members/{typed('member', cast.clerk.id)}"
    assert stranger.post(f"{path}/revocation", {})[0] == 404
    assert clerk.post(f"{path}/roles", {"roles": ["admin"]})[0] == 404
    status, answer = admin.post(f"{path}/roles", {"roles": ["viewer"]})
    assert (status, answer["roles"]) == (201, ["viewer"])
    status, answer = admin.post(f"{path}/revocation", {})
    assert (status, answer["active"]) == (201, False)
    status, answer = clerk.get("/api/v1/session/")
    assert (status, answer["code"]) == (401, "not-authenticated")


def test_a_person_sees_and_revokes_the_own_handsets_and_nobody_elses(cast):
    first, second, other = phone_of(cast.clerk), phone_of(cast.clerk), phone_of(cast.stranger)
    seen = first.get("/api/v1/devices/")[1]["results"]
    assert sorted(one["here"] for one in seen) == [False, True]
    lost = next(one["id"] for one in seen if not one["here"])
    assert other.post(f"/api/v1/devices/{lost}/revocation", {})[0] == 404
    assert second.get("/api/v1/session/")[0] == 200
    status, answer = first.post(f"/api/v1/devices/{lost}/revocation", {})
    assert (status, answer["revocable"], bool(answer["revoked_at"])) == (201, False, True)
    assert second.get("/api/v1/session/")[0] == 401
    assert first.get("/api/v1/session/")[0] == 200


def test_an_administrator_revokes_a_members_handset(cast):
    admin, clerk = phone_of(cast.office), phone_of(cast.clerk)
    whose = f"?member={typed('member', cast.clerk.id)}"
    (device,) = admin.get(f"/api/v1/devices/{whose}")[1]["results"]
    assert phone_of(cast.stranger).get(f"/api/v1/devices/{whose}")[0] == 404
    assert admin.post(f"/api/v1/devices/{device['id']}/revocation", {})[0] == 201
    assert clerk.get("/api/v1/session/")[0] == 401


def test_who_only_borrowed_a_handset_sees_it_and_may_not_revoke_it(cast):
    owner = phone_of(cast.sales)
    borrower = phone_of(cast.clerk, owner)
    (device,) = borrower.get("/api/v1/devices/")[1]["results"]
    assert device["revocable"] is False
    assert borrower.post(f"/api/v1/devices/{device['id']}/revocation", {})[0] == 404
