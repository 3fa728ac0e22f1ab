import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client

from backend.core import clock
from backend.parties import services
from backend.parties.errors import CodeInvalid, LockedOut
from backend.parties.models import LoginRecord, RefusalWindow, Session, SignInSource
from backend.parties.origins import Origin
from backend.parties.services import lockout
from tests.parties.client import PhoneClient, b64


def fail(phone, times: int) -> None:
    for _ in range(times):
        assert phone.sign_in("made-up").json()["code"] == "code-invalid"


def test_after_five_refusals_a_good_code_is_refused_too_and_not_spent(phone, wechat, people, rows):
    fail(phone, 5)
    before, code = rows(), wechat.code()

    answer = phone.sign_in(code)

    assert answer.status_code == 429
    assert answer.json()["code"] == "locked-out"
    assert 590 <= answer.json()["retry_after"] <= 600
    assert answer["Retry-After"] == str(answer.json()["retry_after"])
    assert rows() == before
    assert LoginRecord.objects.get(failure_code="locked-out").result == "refused"
    with time_machine.travel(clock.now() + timedelta(minutes=10, seconds=1), tick=False):
        assert phone.sign_in(code).status_code == 201


def test_the_wait_ends_ten_minutes_after_the_first_of_five(phone, wechat, people):
    start = clock.now()
    for minute in range(5):
        with time_machine.travel(start + timedelta(minutes=minute), tick=False):
            fail(phone, 1)
    with time_machine.travel(start + timedelta(minutes=9, seconds=59), tick=False):
        assert phone.sign_in(wechat.code()).json()["retry_after"] == 1
    with time_machine.travel(start + timedelta(minutes=10, seconds=1), tick=False):
        assert phone.sign_in(wechat.code()).status_code == 201


def test_no_ten_minutes_hold_more_than_five_failed_tries(phone, wechat, people):
    start = clock.now()
    looked_at = 0
    for half_minute in range(60):
        with time_machine.travel(start + timedelta(seconds=30 * half_minute), tick=False):
            looked_at += phone.sign_in("made-up").json()["code"] == "code-invalid"
    assert looked_at == 15


def test_tries_that_succeed_do_not_count(phone, wechat, people):
    fail(phone, 4)
    for _ in range(3):
        assert phone.sign_in(wechat.code()).status_code == 201
    assert [len(one.recent) for one in SignInSource.objects.all()] == [4, 4], "of the device, and of the address"


def test_another_device_at_the_same_address_is_another_source(phone, other_phone, wechat, people):
    fail(phone, 5)
    assert other_phone.sign_in(wechat.code()).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_twenty_tries_at_the_same_moment_get_five_looks(people, phone):
    looks = []

    def unknown(code: str):
        looks.append(code)
        time.sleep(0.2)
        raise CodeInvalid()

    def try_once(number: int) -> str:
        device = services.DeviceClaim(**phone.body(f"code-{number}")["device"])
        try:
            services.sign_in(code=f"code-{number}", device=device, origin=Origin(ip="192.0.2.1"), exchange=unknown)
        except (CodeInvalid, LockedOut) as error:
            return error.code
        finally:
            connection.close()
        return "signed in"

    with ThreadPoolExecutor(20) as pool:
        codes = list(pool.map(try_once, range(20)))

    assert sorted(codes) == ["code-invalid"] * 5 + ["locked-out"] * 15
    assert len(looks) == 5
    assert LoginRecord.objects.count() == 20
    assert sum(RefusalWindow.objects.values_list("count", flat=True)) == 20
    assert not Session.objects.exists()


def test_a_source_is_a_keyed_hash_that_says_nothing(settings):
    name = lockout.source_of("phone", "192.0.2.1", "ab")
    settings.SECRET_KEY = "another"
    assert len(name) == 64 and name != lockout.source_of("phone", "192.0.2.1", "ab")


def test_quiet_sources_are_forgotten_and_busy_ones_are_not(db):
    admitted = lockout.admit("a" * 64)
    assert lockout.forget_old_sources() == 0
    with time_machine.travel(admitted + timedelta(minutes=10, seconds=1), tick=False):
        lockout.admit("b" * 64)
        assert lockout.forget_old_sources() == 1
    assert SignInSource.objects.get().source == "b" * 64


def test_taking_back_a_try_twice_or_after_it_was_forgotten_is_harmless(db):
    admitted = lockout.admit("a" * 64)
    lockout.admit("a" * 64)
    lockout.release("a" * 64, admitted)
    lockout.release("a" * 64, admitted)
    lockout.release("c" * 64, admitted)
    assert len(SignInSource.objects.get().recent) <= 1


def test_the_key_is_read_before_it_is_counted_so_that_padding_makes_no_other_source(phone, people):
    fail(phone, 5)
    answer = phone.sign_in("made-up", device={"public_key": b64(phone.key) + "="})
    assert answer.json()["code"] == "locked-out"


def test_a_key_made_up_for_each_try_does_not_open_the_lock_of_the_address(people, wechat, monkeypatch):
    monkeypatch.setattr(lockout, "ADDRESS_TRIES", 3)
    answers = [PhoneClient(Client()).sign_in("made-up").json()["code"] for _ in range(5)]
    assert answers == ["code-invalid"] * 3 + ["locked-out"] * 2
    assert RefusalWindow.objects.get().count == 5, "five tries, one entry of the ledger"


def test_who_is_locked_out_and_keeps_trying_does_not_lock_out_the_office(
    phone, other_phone, people, wechat, monkeypatch
):
    monkeypatch.setattr(lockout, "ADDRESS_TRIES", 6)
    for _ in range(10):
        phone.sign_in("made-up")
    assert other_phone.sign_in(wechat.code()).status_code == 201
