from datetime import timedelta

import pytest
import time_machine

from backend.core import clock
from backend.core.errors import Forbidden, NotFound
from backend.core.events import Actor
from backend.core.models import Event
from backend.parties import services
from backend.parties.models import Device, Member, Person, Session
from tests.parties.client import SESSION


def acting(member: Member) -> Actor:
    return Actor(person=member.person_id, member=member.id, organisation=member.organisation_id, assurance="L1")


def status(phone) -> tuple[int, str]:
    answer = phone.call("get", SESSION)
    return answer.status_code, answer.json().get("code", "")


@pytest.fixture
def signed_in(phone, wechat):
    assert phone.sign_in(wechat.code()).status_code == 201
    return phone


def test_a_session_that_was_ended_works_no_more_and_others_do(signed_in, other_phone, wechat):
    other_phone.sign_in(wechat.code())
    assert signed_in.call("delete", SESSION).status_code == 204
    assert status(signed_in) == (401, "not-authenticated")
    assert signed_in.call("delete", SESSION).status_code == 401
    assert status(other_phone)[0] == 200
    assert Session.objects.exclude(revoked_at=None).count() == 1


def test_a_token_expires(signed_in):
    with time_machine.travel(clock.now() + timedelta(days=7, seconds=1), tick=False):
        assert status(signed_in) == (401, "not-authenticated")
    assert Session.objects.count() == 1


def test_a_person_made_inactive_is_signed_out(signed_in, people):
    Person.objects.filter(id=people.chen.id).update(is_active=False)
    assert status(signed_in) == (401, "not-authenticated")


def test_revoking_a_device_ends_its_sessions_and_refuses_its_key(signed_in, wechat, people):
    services.revoke_device(by=acting(people.admin), device_id=Device.objects.get().id)

    assert status(signed_in) == (401, "not-authenticated")
    assert signed_in.sign_in(wechat.code()).json()["code"] == "device-revoked"
    assert Event.objects.get(type="device.revoked").chain == "supply"


def test_a_token_of_a_revoked_device_is_403_even_if_its_session_was_not_ended(signed_in):
    Device.objects.update(revoked_at=clock.now())
    assert status(signed_in) == (403, "device-revoked")


def test_a_token_of_a_former_member_is_403_even_if_its_session_was_not_ended(signed_in, people):
    Member.objects.filter(id=people.clerk.id).update(active=False)
    assert status(signed_in) == (403, "not-enrolled")


def test_revoking_a_member_ends_their_sessions(signed_in, people):
    services.revoke_member(by=acting(people.admin), member_id=people.clerk.id)
    assert status(signed_in) == (401, "not-authenticated")
    assert Event.objects.get(type="member.revoked").payload["member"] == str(people.clerk.id)


def test_revoking_twice_is_revoking_once(signed_in, people):
    for _ in range(2):
        services.revoke_device(by=acting(people.admin), device_id=Device.objects.get().id)
        services.revoke_member(by=acting(people.admin), member_id=people.clerk.id)
    assert Event.objects.filter(type="device.revoked").count() == 1
    assert Event.objects.filter(type="member.revoked").count() == 1


def test_whoever_registered_a_device_may_revoke_it(signed_in, people):
    services.revoke_device(by=acting(people.clerk), device_id=Device.objects.get().id)
    assert Device.objects.get().revoked_at


def test_another_organisation_sees_neither_device_nor_member_nor_session(signed_in, people, rows):
    before = rows()
    stranger = acting(people.stranger)
    for revoke in (
        lambda: services.revoke_device(by=stranger, device_id=Device.objects.get().id),
        lambda: services.revoke_member(by=stranger, member_id=people.clerk.id),
        lambda: services.end_session(by=stranger, session_id=Session.objects.get().id),
    ):
        with pytest.raises(NotFound):
            revoke()
    assert rows() == before and status(signed_in)[0] == 200


def test_a_colleague_without_the_role_may_not_revoke_a_member(signed_in, people):
    with pytest.raises(Forbidden):
        services.revoke_member(by=acting(people.clerk), member_id=people.admin.id)
    assert Member.objects.get(id=people.admin.id).active


def test_a_console_session_does_not_end_by_the_phones_door(client, people):
    client.force_login(people.admin.person)
    assert client.delete(SESSION).status_code == 403
