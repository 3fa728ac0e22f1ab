import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client, override_settings
from django.urls import path
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.celery import app
from backend.core import clock, idempotency, tasks
from backend.core.errors import Conflict, RuleBroken
from backend.core.idempotency import idempotent
from backend.core.ids import new_id
from backend.core.models import IdempotentAnswer
from backend.parties.models import Person
from tests.core.conftest import at_once, real_transactions

pytestmark = pytest.mark.django_db
KEY = "0199b3c2-key_of-a-write"


class AlreadyThere(Conflict):
    code = "already-there"


class Writes(APIView):
    """Makes a row for each write that is really done."""

    permission_classes = [IsAuthenticated]

    @idempotent
    def post(self, request: Request) -> Response:
        name = request.data.get("only one is named", str(new_id()))
        if Group.objects.filter(name=name).exists():
            raise AlreadyThere()
        row = Group.objects.create(name=name)
        if request.data.get("refuse"):
            raise RuleBroken("not today", field="refuse")
        return Response({"row": row.id, "said": request.data}, status=201)

    put = post


urlpatterns = [path("writes/", Writes.as_view()), path("others/", Writes.as_view())]


@pytest.fixture(autouse=True)
def urls() -> Iterator[None]:
    with override_settings(ROOT_URLCONF=__name__):
        yield


def person(name: str = "Clerk") -> Client:
    client = Client()
    client.force_login(Person.objects.create_user(name=name, username=name))
    return client


def write(client: Client, body: Any, key: str | None = KEY, to: str = "/writes/", method: str = "post") -> Any:
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    headers = {"Idempotency-Key": key} if key is not None else {}
    return getattr(client, method)(to, data, content_type="application/json", headers=headers)


def test_a_repeat_gets_the_first_answer_and_writes_nothing() -> None:
    client = person()
    first = write(client, {"a": 1, "b": 2})
    again = write(client, '{"b": 2,   "a": 1}')
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replay"] == "true" and "Idempotent-Replay" not in first.headers
    assert Group.objects.count() == 1


def test_a_repeat_of_what_can_be_done_once_only_gets_the_first_answer_and_another_the_refusal() -> None:
    client = person()
    first = write(client, {"only one is named": "A"})
    again = write(client, {"only one is named": "A"})
    assert (first.status_code, again.status_code) == (201, 201) and again.json() == first.json()
    assert again.headers["Idempotent-Replay"] == "true"
    other = write(client, {"only one is named": "A"}, key="another-key")
    assert (other.status_code, other.json()["code"]) == (409, "already-there")
    assert Group.objects.count() == 1 and IdempotentAnswer.objects.count() == 1


@pytest.mark.parametrize(
    "other",
    [{"body": {"a": 2}}, {"body": {"refuse": True}}, {"to": "/others/"}, {"method": "put"}],
    ids=["another body", "a body that is refused", "another address", "another method"],
)
def test_the_same_key_for_another_request_is_refused(other: dict[str, Any]) -> None:
    client = person()
    write(client, {"a": 1})
    answer = write(client, **({"body": {"a": 1}} | other))
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency-mismatch")
    assert Group.objects.count() == 1


def test_a_key_belongs_to_its_person() -> None:
    assert write(person("A"), {"a": 1}).json()["row"] != write(person("B"), {"a": 1}).json()["row"]


@pytest.mark.parametrize("key", [None, "", "short", "x" * 65, "with space", "ключ-ключ", "a/b/c/d/e"])
def test_a_key_that_is_missing_or_malformed_is_refused_and_nothing_written(key: str | None) -> None:
    answer = write(person(), {"a": 1}, key=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-required")
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
    assert not Group.objects.exists() and not IdempotentAnswer.objects.exists()


def test_a_refused_write_stores_nothing_and_may_be_tried_again() -> None:
    client = person()
    refused = write(client, {"refuse": True})
    assert (refused.status_code, refused.json()["code"]) == (422, "rule-broken")
    assert not Group.objects.exists() and not IdempotentAnswer.objects.exists()
    assert write(client, {"refuse": False}).status_code == 201


def test_an_answer_outlives_the_longest_wait_of_an_act_by_a_week_and_goes_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(idempotency, "FORGOTTEN_AT_ONCE", 2)
    client = person()
    answers = [write(client, {"a": number}, key=f"{KEY}{number}").json() for number in range(6)]
    old, young = clock.now() - timedelta(days=14, minutes=1), clock.now() - timedelta(days=13, hours=23)
    rows = list(IdempotentAnswer.objects.order_by("id").values_list("id", flat=True))
    IdempotentAnswer.objects.filter(id__in=rows[:5]).update(at=old)
    IdempotentAnswer.objects.filter(id=rows[5]).update(at=young)
    tasks.forget_answers()
    assert list(IdempotentAnswer.objects.values_list("id", flat=True)) == rows[5:]
    assert write(client, {"a": 5}, key=f"{KEY}5").json() == answers[5]
    assert Group.objects.count() == 6


def test_a_batch_of_answers_is_a_transaction_of_its_own(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(idempotency, "FORGOTTEN_AT_ONCE", 2)
    client = person()
    for number in range(5):
        write(client, {"a": number}, key=f"{KEY}{number}")
    IdempotentAnswer.objects.update(at=clock.now() - timedelta(days=15))
    with django_assert_num_queries(4 + 3):
        assert idempotency.forget_answers() == 5


def test_what_beat_calls_for_is_there(settings: Any) -> None:
    called = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    app.loader.import_default_modules()
    assert called <= set(app.tasks) and "core.forget_answers" in called


@real_transactions
@pytest.mark.parametrize("body", [{"a": 1}, {"only one is named": "A"}], ids=["succeeds twice", "succeeds once"])
def test_two_at_once_are_one_write_with_one_answer(sequences: None, body: dict[str, Any]) -> None:
    someone = Person.objects.create_user(name="Clerk", username="clerk")
    answers = []

    def send() -> None:
        client = Client()
        client.force_login(someone)
        answers.append(write(client, body))

    assert at_once(*[send] * 4) == []
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.content for answer in answers}) == 1 and Group.objects.count() == 1
    assert sum("Idempotent-Replay" in answer.headers for answer in answers) == 3, connection.vendor
