import hashlib
import uuid
from datetime import timedelta

import pytest

from backend.core.clock import now
from backend.core.ids import from_typeid
from backend.core.models import Event
from backend.core.sections import open_section
from backend.ledger import canonical
from backend.parties import selectors
from backend.parties.models import Consent
from backend.parties.texts import LOCATION

CONSENTS = "/api/v1/consents/"


@pytest.fixture
def clerk(phone, wechat):
    phone.sign_in(wechat.code())
    return phone


def answer(phone, given, key=None, changes=None):
    body = {"purpose": "location", "text_id": LOCATION.id, "text_version": LOCATION.version, "given": given} | (
        changes or {}
    )
    return phone.call("post", CONSENTS, body, **{"Idempotency-Key": key or uuid.uuid4().hex})


def held(consent, person_id, at=None):
    return selectors.consent_held(consent.id, person_id=person_id, purpose="location", at=at or now())


def listed(phone):
    return phone.call("get", CONSENTS).json()["results"][0]


def test_before_the_first_answer_the_text_is_shown_in_both_languages_with_the_notice(clerk):
    shown = listed(clerk)
    assert (shown["purpose"], shown["given"], shown["at"], shown["id"]) == ("location", None, None, None)
    assert "不能证明" in shown["text"]["zh"]
    assert "reported by the device; presence is not proven" in shown["text"]["en"]
    words = {"purpose": "location", "id": shown["text_id"], "version": shown["text_version"], **shown["text"]}
    assert shown["text_sha256"] == hashlib.sha256(canonical.dumps(words)).hexdigest()


def test_a_consent_is_recorded_with_its_text_and_anchored(clerk, people):
    given = answer(clerk, True)

    assert given.status_code == 201
    consent = Consent.objects.get()
    assert from_typeid("ltx", given.json()["id"]) == consent.id
    assert (consent.person, consent.given, consent.text_sha256) == (people.chen, True, LOCATION.sha256)
    event = Event.objects.get(type="consent.given")
    assert event.id == consent.event and event.chain == "supply"
    act = open_section(event.id, "act").content
    assert (act["text_sha256"], act["given"]) == (LOCATION.sha256, True)
    assert event.sections.get(name="act").data_key.person == people.chen.id
    assert listed(clerk)["given"] is True
    assert held(consent, people.chen.id)


def test_a_withdrawal_is_a_new_record_and_the_consent_holds_no_more(clerk, people):
    answer(clerk, True)
    before = now()
    answer(clerk, False)

    assert listed(clerk)["given"] is False
    assert [consent.given for consent in Consent.objects.order_by("id")] == [True, False]
    assert Event.objects.filter(type="consent.withdrawn").count() == 1
    yes, no = Consent.objects.order_by("id")
    Consent.objects.filter(id=no.id).update(at=before + timedelta(seconds=1))
    assert held(yes, people.chen.id, before), "what was done before the withdrawal keeps its consent"
    assert not held(yes, people.chen.id, before + timedelta(seconds=1))
    assert not held(no, people.chen.id, before + timedelta(seconds=1))


def test_a_consent_of_somebody_else_does_not_hold(clerk, people):
    answer(clerk, True)
    assert not held(Consent.objects.get(), people.stranger.person_id)


def test_a_consent_covers_nothing_that_was_done_before_it_but_for_a_clock_that_is_behind(clerk, people):
    answer(clerk, True)
    consent = Consent.objects.get()
    ahead = {"person_id": people.chen.id, "purpose": "location", "at": consent.at - timedelta(minutes=1)}
    assert not selectors.consent_held(consent.id, **ahead)
    assert selectors.consent_held(consent.id, **ahead, behind=timedelta(minutes=1))


def test_a_consent_given_again_leaves_the_earlier_one_as_it_was(clerk, people):
    answer(clerk, True)
    answer(clerk, True)
    assert all(held(consent, people.chen.id) for consent in Consent.objects.all())
    answer(clerk, False)
    answer(clerk, True)
    assert [held(consent, people.chen.id) for consent in Consent.objects.order_by("id")] == [False, False, False, True]


def test_a_yes_to_an_earlier_text_does_not_cover_the_present_one(clerk, people):
    answer(clerk, True)
    Consent.objects.update(text_version="0", text_sha256="0" * 64)
    assert listed(clerk)["given"] is None
    assert not held(Consent.objects.get(), people.chen.id)


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"text_version": "0"}, 422, "consent-text-unknown", "text_version"),
        ({"text_id": "other"}, 422, "consent-text-unknown", "text_id"),
        ({"purpose": "telephone"}, 400, "invalid", "purpose"),
        ({"given": "perhaps"}, 400, "invalid", "given"),
        ({"given": None}, 400, "invalid", "given"),
    ],
)
def test_an_answer_to_another_text_is_refused(clerk, rows, change, status, code, field):
    before = rows()
    refused = answer(clerk, True, changes=change)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert [error["field"] for error in refused.json()["errors"]] == [field]
    assert rows() == before


def test_the_same_key_is_the_same_consent(clerk):
    first = answer(clerk, True, key="same-key-1")
    again = answer(clerk, True, key="same-key-1")
    other = answer(clerk, False, key="same-key-1")
    assert again.json() == first.json() and again["Idempotent-Replay"] == "true"
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-mismatch")
    assert Consent.objects.count() == 1


def test_an_answer_without_a_key_or_a_token_is_refused(clerk, client, rows):
    before = rows()
    assert clerk.call("post", CONSENTS, {}).json()["code"] == "idempotency-key-required"
    assert client.post(CONSENTS, {}, content_type="application/json").status_code == 401
    assert client.get(CONSENTS).status_code == 401
    assert client.get("/api/v1/logins/").status_code == 401
    assert rows() == before
