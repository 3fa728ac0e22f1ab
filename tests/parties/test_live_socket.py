import json
from contextlib import asynccontextmanager

import pytest
from asgiref.sync import sync_to_async
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.test import Client
from django.urls import path

from backend.core import clock
from backend.core.push import Push, group_name, send_now
from backend.parties import consumers, services
from backend.parties.consumers import LiveConsumer
from backend.parties.models import Device, LoginRecord, Member, Session
from tests.parties.client import SESSION
from tests.parties.socket import Socket
from tests.parties.test_revocation import acting

pytestmark = pytest.mark.django_db(transaction=True)


@asynccontextmanager
async def socket(headers=()):
    application = AuthMiddlewareStack(URLRouter([path("ws/live/", LiveConsumer.as_asgi())]))
    opened = Socket(application, "/ws/live/", list(headers))
    assert await opened.connect()
    try:
        yield opened
    finally:
        await opened.disconnect()


async def say(opened, **message):
    await opened.send_to(text_data=json.dumps(message))
    return await opened.receive_output(timeout=2)


async def authenticated(opened, token):
    answer = await say(opened, type="authenticate", token=token)
    assert json.loads(answer["text"]) == {"type": "ready"}


async def closes_with(opened, code):
    answer = await opened.receive_output(timeout=2)
    assert (answer["type"], answer.get("code")) == ("websocket.close", code)


@pytest.fixture
def token(phone, wechat) -> str:
    phone.sign_in(wechat.code())
    return phone.token


@sync_to_async
def tell(audience, kind="order.changed", **ids):
    send_now([Push((audience,), kind, ids)])


async def test_a_phone_is_told_what_concerns_its_organisation_and_its_member(token, people):
    async with socket() as opened:
        await authenticated(opened, token)
        await tell(people.buyer.id, order="ord_1")
        assert await opened.receive_json_from() == {"type": "push", "kind": "order.changed", "order": "ord_1"}
        await tell(people.clerk.id, kind="receipt.changed")
        assert await opened.receive_json_from() == {"type": "push", "kind": "receipt.changed"}


async def test_a_phone_is_not_told_what_concerns_others(token, people):
    async with socket() as opened:
        await authenticated(opened, token)
        await tell(people.outsider.id)
        await tell(people.admin.id)
        assert await opened.receive_nothing(timeout=0.2)


async def test_nobody_is_told_anything_before_they_said_who_they_are(people):
    async with socket() as opened:
        await tell(people.buyer.id)
        assert await opened.receive_nothing(timeout=0.2)


async def test_a_ping_is_answered_and_authenticating_twice_changes_nothing(token, people):
    async with socket() as opened:
        await authenticated(opened, token)
        await authenticated(opened, token)
        await opened.send_to(text_data='{"type": "ping"}')
        assert await opened.receive_json_from() == {"type": "pong"}
        await tell(people.buyer.id)
        assert (await opened.receive_json_from())["type"] == "push"
        assert await opened.receive_nothing(timeout=0.1)


@pytest.mark.parametrize("bad", ["", "f" * 64, "钥匙", 7, ["x"], {}, "\udc00"])
async def test_a_token_that_is_unknown_or_none_closes_the_socket(people, bad):
    async with socket() as opened:
        answer = await say(opened, type="authenticate", token=bad)
        assert (answer["type"], answer["code"]) == ("websocket.close", 4401)


@pytest.mark.parametrize(
    "junk", ["", "{", "[]", "7", "null", '{"type": 5}', '{"type": "subscribe"}', "[" * 4000, '{"a": NaN}']
)
async def test_junk_closes_the_socket(people, junk):
    async with socket() as opened:
        await opened.send_to(text_data=junk)
        await closes_with(opened, 4400)


async def test_a_message_of_more_than_four_kilobytes_closes_the_socket(people):
    async with socket() as opened:
        await opened.send_to(text_data=json.dumps({"type": "ping", "x": "键" * 1400}, ensure_ascii=False))
        await closes_with(opened, 1009)


async def test_binary_closes_the_socket(people):
    async with socket() as opened:
        await opened.send_to(bytes_data=b"\x00\xff")
        await closes_with(opened, 1003)


async def test_who_says_nothing_is_shown_out(people, monkeypatch):
    monkeypatch.setattr(consumers, "AUTHENTICATE_SECONDS", 0.1)
    async with socket() as opened:
        await opened.send_to(text_data='{"type": "ping"}')
        assert await opened.receive_json_from() == {"type": "pong"}
        await closes_with(opened, 4401)


async def test_who_authenticated_stays_beyond_the_time_to_do_so(token, people, monkeypatch):
    monkeypatch.setattr(consumers, "AUTHENTICATE_SECONDS", 0.1)
    async with socket() as opened:
        await authenticated(opened, token)
        assert await opened.receive_nothing(timeout=0.4)
        await tell(people.buyer.id)
        assert (await opened.receive_json_from())["type"] == "push"


async def test_a_socket_closes_when_its_session_expires(token, people):
    soon = clock.now().__class__.fromtimestamp(clock.now().timestamp() + 1, clock.now().tzinfo)
    await sync_to_async(Session.objects.update)(expiry=soon)
    async with socket() as opened:
        await authenticated(opened, token)
        answer = await opened.receive_output(timeout=3)
        assert (answer["type"], answer["code"]) == ("websocket.close", 4401)


@pytest.mark.parametrize("how", ["sign out", "device", "member"])
async def test_a_revocation_closes_the_open_socket_at_once(how, token, phone, people):
    def revoke():
        if how == "sign out":
            assert phone.call("delete", SESSION).status_code == 204
        elif how == "device":
            services.revoke_device(by=acting(people.admin), device_id=Device.objects.get().id)
        else:
            services.revoke_member(by=acting(people.admin), member_id=people.clerk.id)

    async with socket() as opened:
        await authenticated(opened, token)
        await sync_to_async(revoke)()
        await closes_with(opened, 4401)
    async with socket() as opened:
        answer = await say(opened, type="authenticate", token=token)
        assert answer["code"] == 4401


async def test_a_sign_out_elsewhere_leaves_the_socket_open(token, other_phone, wechat, people):
    async with socket() as opened:
        await authenticated(opened, token)
        await sync_to_async(lambda: (other_phone.sign_in(wechat.code()), other_phone.call("delete", SESSION)))()
        told = {(await opened.receive_json_from())["type_"] for _ in range(2)}
        assert told == {"device.registered", "session.opened"}
        assert await opened.receive_nothing(timeout=0.2)


async def test_a_revocation_that_nobody_could_be_told_of_holds_back_the_next_push(token, people, monkeypatch):
    monkeypatch.setattr(consumers, "LOOK_AGAIN_SECONDS", 0.0)
    async with socket() as opened:
        await authenticated(opened, token)
        await sync_to_async(Session.objects.update)(revoked_at=clock.now())
        await tell(people.buyer.id)
        await closes_with(opened, 4401)


async def test_a_revocation_between_the_look_and_the_joining_is_seen(token, people, monkeypatch):
    join = LiveConsumer._join

    async def revoked_meanwhile(self, listener):
        await sync_to_async(Session.objects.update)(revoked_at=clock.now())
        return await join(self, listener)

    monkeypatch.setattr(LiveConsumer, "_join", revoked_meanwhile)
    async with socket() as opened:
        answer = await say(opened, type="authenticate", token=token)
        assert answer["code"] == 4401


async def test_the_socket_writes_nothing(token, people):
    count = sync_to_async(
        lambda: (LoginRecord.objects.count(), Session.objects.values_list("expiry", "revoked_at").get())
    )
    before = await count()
    async with socket() as opened:
        await authenticated(opened, token)
        await tell(people.buyer.id)
        await opened.receive_output()
    assert await count() == before


class Console:
    """A browser signed in to the console."""

    def __init__(self, people) -> None:
        self.client = Client()
        self.client.force_login(people.admin.person)
        session = self.client.session
        session["member"] = str(people.admin.id)
        session.save()
        self.headers = [(b"cookie", f"sessionid={session.session_key}".encode())]

    def sign_out(self) -> None:
        from django.test import RequestFactory

        request = RequestFactory().post("/")
        request.session = self.client.session
        request.user = None
        services.sign_out_console(request=request)

    def open_as(self, member) -> None:
        from django.test import RequestFactory

        request = RequestFactory().get("/")
        request.session = self.client.session
        services.open_console_session(person=member.person, request=request)


async def test_the_console_is_known_by_its_cookie(people):
    console = await sync_to_async(Console)(people)
    async with socket(console.headers) as opened:
        await authenticated(opened, None)
        await tell(people.buyer.id, kind="alert.changed", alert="alr_1")
        assert (await opened.receive_json_from())["alert"] == "alr_1"


async def test_without_a_cookie_there_is_no_console(people):
    async with socket() as opened:
        answer = await say(opened, type="authenticate")
        assert answer["code"] == 4401


async def test_signing_out_of_the_console_closes_its_sockets(people):
    console = await sync_to_async(Console)(people)
    async with socket(console.headers) as opened:
        await authenticated(opened, None)
        await sync_to_async(console.sign_out)()
        await closes_with(opened, 4401)


async def test_a_page_of_whoever_sat_there_before_is_told_that_it_is_over(people):
    console = await sync_to_async(Console)(people)
    async with socket(console.headers) as opened:
        await authenticated(opened, None)
        await sync_to_async(console.open_as)(people.stranger)
        await closes_with(opened, 4401)


async def test_signing_in_again_as_the_same_person_leaves_their_pages_alone(people):
    console = await sync_to_async(Console)(people)
    async with socket(console.headers) as opened:
        await authenticated(opened, None)
        await sync_to_async(console.open_as)(people.admin)
        await tell(people.buyer.id, kind="alert.changed", alert="alr_1")
        while (told := await opened.receive_json_from())["kind"] != "alert.changed":
            pass
        assert told["alert"] == "alr_1"


async def test_a_console_whose_session_ended_after_the_handshake_is_not_let_in(people):
    console = await sync_to_async(Console)(people)
    async with socket(console.headers) as opened:
        await sync_to_async(console.sign_out)()
        answer = await say(opened, type="authenticate")
        assert answer["code"] == 4401


async def test_a_console_member_who_is_revoked_is_shown_out(people):
    console = await sync_to_async(Console)(people)
    second = await sync_to_async(Member.objects.filter(id=people.clerk.id).update)(roles=["signer", "admin"])
    async with socket(console.headers) as opened:
        await authenticated(opened, None)
        await sync_to_async(services.revoke_member)(by=acting(people.clerk), member_id=people.admin.id)
        await closes_with(opened, 4401)
    assert second == 1


def test_a_group_is_named_after_whom_it_concerns(people):
    assert group_name(people.buyer.id) == f"live.{people.buyer.id.hex}"
