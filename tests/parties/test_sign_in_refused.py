import pytest

from backend.core import clock
from backend.core.ids import new_id, typed
from backend.core.models import Event
from backend.ledger import sign
from backend.parties.models import Device, LoginRecord, Member, RefusalWindow
from tests.parties.client import SESSION, b64

# Public keys under which one signature fits many messages, or that other verifiers would read differently.
BAD_KEYS = {
    "the identity": bytes([1]) + bytes(31),
    "of order two": bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    "of order four": bytes(32),
    "of order eight": bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    "not canonical": bytes.fromhex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    "not on the curve": bytes([2]) + bytes(31),
}


def refused(answer, rows_before, rows, code: str, status: int, field: str | None = None) -> LoginRecord:
    """The refusal says `code`, nothing but its record was written, and the record says the same."""
    assert answer.status_code == status, answer.content
    problem = answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert problem["code"] == code
    assert [error["field"] for error in problem["errors"]] == ([field] if field else [])
    assert rows() == rows_before
    record = LoginRecord.objects.filter(failure_code=code).order_by("-id")[0]
    assert record.result == "refused" and record.event is None
    return record


def test_a_code_that_wechat_does_not_know_is_refused(phone, wechat, rows):
    before = rows()
    refused(phone.sign_in("made-up"), before, rows, "code-invalid", 401)


def test_a_code_works_once(phone, wechat, rows):
    code = wechat.code()
    phone.sign_in(code)
    before = rows()
    refused(phone.sign_in(code), before, rows, "code-used", 401)


@pytest.mark.parametrize("name", BAD_KEYS)
def test_a_key_that_is_unsafe_is_refused_and_the_code_is_not_spent(name, phone, wechat, rows):
    before, code = rows(), wechat.code()
    answer = phone.sign_in(code, device={"public_key": b64(BAD_KEYS[name])})
    refused(answer, before, rows, "device-key-invalid", 422, "device.public_key")
    assert phone.sign_in(code).status_code == 201


@pytest.mark.parametrize("text", ["AAAA", "A" * 64, "!" * 43, "钥" * 43, b64(bytes(33))])
def test_a_key_that_is_no_key_is_refused(text, phone, wechat, rows):
    before = rows()
    answer = phone.sign_in(wechat.code(), device={"public_key": text})
    refused(answer, before, rows, "device-key-invalid", 422, "device.public_key")


def test_a_device_must_prove_that_it_holds_its_key(phone, other_phone, wechat, rows):
    before, code = rows(), wechat.code()
    stolen = b64(sign.sign(other_phone.seed, f"yirong/session/v1\n{code}".encode()))
    for proof in (stolen, b64(sign.sign(phone.seed, b"yirong/session/v1\nanother-code")), "not base64!", "AAAA"):
        answer = phone.sign_in(code, device={"proof": proof})
        refused(answer, before, rows, "device-proof-invalid", 422, "device.proof")
    assert phone.sign_in(code).status_code == 201


def test_somebody_whom_nobody_enrolled_is_refused(phone, wechat, rows):
    before = rows()
    record = refused(phone.sign_in(wechat.code("o-nobody")), before, rows, "not-enrolled", 403)
    assert record.person is None


def test_somebody_whose_membership_ended_is_refused_and_the_record_names_them(phone, wechat, people, rows):
    Member.objects.filter(id=people.clerk.id).update(active=False)
    before = rows()
    record = refused(phone.sign_in(wechat.code()), before, rows, "not-enrolled", 403)
    assert record.person == people.chen
    assert Event.objects.get(type="session.refused").payload["person"] == str(people.chen.id)


def test_a_membership_of_somebody_else_looks_like_none(phone, wechat, people, rows):
    before = rows()
    for member in (people.stranger.id, new_id()):
        answer = phone.sign_in(wechat.code(), member=typed("member", member))
        refused(answer, before, rows, "member-foreign", 404)


def test_a_revoked_device_signs_nobody_in(phone, wechat, people, rows):
    phone.sign_in(wechat.code())
    Device.objects.update(revoked_at=clock.now())
    before = rows()
    record = refused(phone.sign_in(wechat.code()), before, rows, "device-revoked", 403)
    assert bytes(record.device.public_key) == phone.key


def test_each_refusal_is_told_to_the_rules_with_a_hashed_source_and_not_anchored_by_itself(phone, wechat, people):
    phone.sign_in("made-up")
    event = Event.objects.get(type="session.refused")
    assert event.chain is None and event.leaf is None
    assert event.payload["code"] == "code-invalid"
    assert len(event.payload["source"]) == 64
    assert "127.0.0.1" not in str(event.payload)
    assert RefusalWindow.objects.get().count == 1


def test_wechat_being_busy_is_recorded_but_not_held_against_the_person(phone, wechat, people, rows):
    before = rows()
    for _ in range(6):
        wechat.busy(3)
        refused(phone.sign_in(wechat.code()), before, rows, "wechat-busy", 503)
    assert LoginRecord.objects.filter(failure_code="wechat-busy").count() == 6
    assert not RefusalWindow.objects.exists() and not Event.objects.filter(type="session.refused").exists()
    assert phone.sign_in(wechat.code()).status_code == 201


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": ""}, "code"),
        ({"code": "x" * 129}, "code"),
        ({"device": None}, "device"),
        ({"device": "key"}, "device.non_field_errors"),
        ({"network_type": "x" * 17}, "network_type"),
        ({"language": "tlh"}, "language"),
        ({"member": "org_01jd0000000000000000000000"}, "member"),
        ({"member": 7}, "member"),
    ],
)
def test_a_request_of_the_wrong_shape_names_its_field_and_leaves_no_record(change, field, phone, wechat, people, rows):
    before = rows()
    answer = phone.client.post(SESSION, phone.body("code") | change, content_type="application/json")
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert rows() == before and not LoginRecord.objects.exists()


@pytest.mark.parametrize(
    "body", ["{", "[]", '"x"', "", "\ud800".encode("utf-8", "surrogatepass"), r'{"code": "a\u0000b"}']
)
def test_malformed_json_is_a_problem(body, phone, people):
    answer = phone.client.post(SESSION, body, content_type="application/json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "header",
    [None, "Token", "Token ", "Token a b", "Token " + "f" * 64, "Token \xff\xfe", "Bearer x", "Token " + "x" * 5000],
)
def test_a_missing_foreign_or_malformed_token_is_401(header, phone, people):
    answer = phone.client.get(SESSION, headers={"Authorization": header} if header else {})
    assert answer.status_code == 401, answer.content
    assert answer.json()["code"] == "not-authenticated"
    assert answer["WWW-Authenticate"] == "Token"
