import base64
import logging

import pytest

from backend.core.ids import from_typeid
from backend.core.models import Event
from backend.core.sections import open_section
from backend.parties.models import Device, LoginRecord, Member, Session
from tests.parties.client import SESSION, b64


def test_a_person_signs_in_with_a_code_of_wechat_and_gets_a_token_that_works(phone, wechat, people):
    answer = phone.sign_in(wechat.code())

    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert body["session"]["person"]["name"] == "陈黎"
    assert body["session"]["organisation"]["uscc"] == "91310115MA1LQYX08M"
    assert body["session"]["member"]["roles"] == ["signer"]
    assert body["session"]["device"]["public_key"] == b64(phone.key)
    assert body["session"]["device"]["assurance"] == "L2"
    assert body["session"]["origin"].endswith("/supply")
    again = phone.call("get", SESSION).json()
    assert {**again, "server_time": 0} == {**body["session"], "server_time": 0}


def test_the_first_sign_in_registers_the_device_and_later_ones_do_not(phone, wechat, people):
    phone.sign_in(wechat.code())
    phone.sign_in(wechat.code())

    device = Device.objects.get()
    assert bytes(device.public_key) == phone.key
    assert device.registered_by == people.clerk
    registered = Event.objects.get(type="device.registered")
    assert registered.subject_id == device.id
    facts = open_section(registered.id, "act").content
    assert base64.urlsafe_b64decode(facts["public_key"] + "=") == phone.key
    assert [event.payload["new_device"] for event in Event.objects.filter(type="session.opened").order_by("id")] == [
        True,
        False,
    ]


def test_each_sign_in_is_a_login_record_and_an_anchored_event(phone, wechat, people):
    answer = phone.sign_in(wechat.code())

    record = LoginRecord.objects.get()
    assert (record.result, record.failure_code, record.channel) == ("opened", "", "phone")
    assert (record.person, record.member) == (people.chen, people.clerk)
    assert (record.model, record.system, record.platform, record.sdk_version) == (
        "Phone 7",
        "Android 15",
        "mp-weixin",
        "3.5.1",
    )
    assert (record.ip, record.network_type, record.simulated) == ("127.0.0.1", "4g", False)
    event = Event.objects.get(type="session.opened")
    assert record.event == event.id
    assert event.chain == "supply" and event.leaf
    assert b"127.0.0.1" not in bytes(event.leaf)
    act = open_section(event.id, "act").content
    assert (act["ip"], act["model"], act["network_type"]) == ("127.0.0.1", "Phone 7", "4g")
    row = event.sections.get(name="act")
    assert (row.data_key.person, row.data_key.purpose) == (people.chen.id, "sign_in")
    assert row.data_key.scope == f"{record.time:%Y-%m}"
    assert event.payload["device"] == str(from_typeid("dev", answer.json()["session"]["device"]["id"]))


def test_the_token_is_kept_as_a_digest_only_and_secrets_reach_no_log_and_no_answer(
    phone, wechat, people, settings, caplog
):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    code = wechat.code()
    answer = phone.sign_in(code)

    session = Session.objects.get()
    assert answer.json()["token"] not in session.digest
    assert b"session_key" not in answer.content
    from backend.parties.wechat_simulator import SECRET

    for secret in (code, SECRET, answer.json()["token"]):
        assert secret not in caplog.text
    assert settings.LOGGING["loggers"]["httpx"]["level"] == "WARNING"


def test_a_member_of_two_organisations_chooses_as_which_to_act(phone, wechat, people):
    from backend.core.ids import typed

    second = Member.objects.create(person=people.chen, organisation=people.outsider, roles=["viewer"])

    first = phone.sign_in(wechat.code()).json()["session"]
    assert first["member"]["id"] == typed("member", people.clerk.id)
    assert [one["organisation"]["name"] for one in first["members"]] == ["澜桥", "旁人"]
    chosen = phone.sign_in(wechat.code(), member=typed("member", second.id)).json()["session"]
    assert chosen["organisation"]["name"] == "旁人"


def test_the_chosen_language_is_remembered(phone, wechat, people):
    phone.sign_in(wechat.code(), language="en")

    people.chen.refresh_from_db()
    assert people.chen.language == "en"


def test_a_demonstration_handset_brings_its_own_address_and_is_recorded_as_simulated(phone, wechat, people):
    answer = phone.sign_in(wechat.code(), handset="su-qing")

    record = LoginRecord.objects.get()
    assert (record.ip, record.simulated, record.handset) == ("198.51.100.20", True, "su-qing")
    assert answer.json()["session"]["handset"]["place"]["label"]["zh"].startswith("禾屿办公室")


def test_outside_the_demonstration_a_handset_counts_for_nothing(phone, wechat, people, settings):
    from backend.parties import wechat_simulator

    settings.WECHAT_APPID, settings.WECHAT_SECRET, settings.DEMO = (
        wechat_simulator.APPID,
        wechat_simulator.SECRET,
        False,
    )
    answer = phone.sign_in(wechat.code(), handset="su-qing", headers={"X-Handset": "ma-ye"})

    record = LoginRecord.objects.get()
    assert (record.ip, record.simulated, record.handset) == ("127.0.0.1", False, "")
    assert answer.json()["session"]["handset"] is None
    assert answer.json()["session"]["demonstration"] is False


def test_an_old_token_does_not_stand_in_the_way_of_signing_in(phone, wechat, people):
    answer = phone.sign_in(wechat.code(), headers={"Authorization": "Token " + "0" * 64})

    assert answer.status_code == 201


def test_a_person_sees_what_is_recorded_about_their_own_sign_ins_and_nobody_elses(phone, other_phone, wechat, people):
    other_phone.sign_in(wechat.code("o-eve"))
    phone.sign_in("no-such-code")
    phone.sign_in(wechat.code())
    phone.sign_in(wechat.code())

    logins = phone.call("get", "/api/v1/logins/").json()["results"]
    assert [one["result"] for one in logins] == ["opened", "opened"]
    assert logins[0]["time"] > logins[1]["time"] and logins[0]["time"].endswith("Z")
    assert logins[0]["device"]["model"] == "Phone 7"
    assert logins[0]["event"].startswith("evt_")


@pytest.mark.django_db(transaction=True)
def test_two_first_sign_ins_on_one_device_register_it_once(phone, wechat, people):
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection
    from django.test import Client

    from tests.parties.client import PhoneClient

    codes = [wechat.code() for _ in range(4)]

    def sign_in(code: str) -> int:
        twin = PhoneClient(Client())
        twin.seed = phone.seed
        try:
            return twin.sign_in(code).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(sign_in, codes)) == [201] * 4
    assert Device.objects.count() == 1
    assert Event.objects.filter(type="device.registered").count() == 1
    assert Session.objects.count() == 4
