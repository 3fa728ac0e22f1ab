"""The OpenAPI description: made without a warning, valid, and true of what the API answers."""

import io
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core import signals
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from drf_spectacular.drainage import GENERATOR_STATS
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from backend.core.ids import new_id, typed
from backend.parties.texts import LOCATION
from tests.cast import phone_of
from tests.contract.conftest import Story
from tests.phone import Phone

bounded = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]


def test_the_description_is_made_and_valid_without_a_warning() -> None:
    GENERATOR_STATS.reset()  # warnings of an earlier generation in this process would not be told again
    text = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=text)
    assert len(json.loads(text.getvalue())["paths"]) > 20


def _caller(story: Story, case: Case) -> Phone:
    """Whoever gets furthest: the others' refusals are tried elsewhere."""
    if case.method == "DELETE":
        return phone_of(story.cast.sales)  # who signs out here is not to be signed out below
    if any(f"/{name}/" in case.path for name in ("members", "invitations", "delegations", "devices")):
        return phone_of(story.cast.office)
    if "/alerts/" in case.path:
        return story.officer
    if case.path.endswith("/milestones"):
        return story.driver
    if case.path.endswith("/signature") or (case.path, case.method) == ("/api/v1/receipts/", "POST"):
        return story.clerk
    return story.sales


def _known(story: Story) -> dict[str, Any]:
    """Values of a body's members that mean something here, so that what is asked is not refused at the door."""
    return {
        "buyer": typed("organisation", story.cast.buyer.id),
        "seller": typed("organisation", story.cast.seller.id),
        "order": story.order["id"],
        "order_line": "1",
        "subject": story.receipt,
        "upload": story.upload,
        "mime": "image/jpeg",
        "size": 768,
        "purpose": LOCATION.purpose,
        "text_id": LOCATION.id,
        "text_version": LOCATION.version,
        "organisation": None,
    }


@pytest.fixture
def application() -> Iterator[Any]:
    """The product as WSGI. Like Django's own test client it leaves the connection open that holds the test's transaction."""
    product = get_wsgi_application()
    both = (signals.request_started, signals.request_finished)

    def answer(*request: Any) -> Any:
        for signal in both:
            signal.disconnect(close_old_connections)
        return product(*request)

    yield answer
    for signal in both:
        signal.connect(close_old_connections)


@pytest.mark.timeout(300)
def test_the_api_answers_as_it_is_described(story: Story, application: Any) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", application)
    known = _known(story)
    faults: list[str] = []
    statuses: Counter[int] = Counter()

    def ask(case: Case, headers: dict[str, str]) -> None:
        response = case.call(headers=headers)
        statuses[response.status_code] += 1
        case.validate_response(response, checks=CHECKS, headers=headers)

    def answers_as_described(case: Case) -> None:
        headers = _caller(story, case).headers()
        ask(case, headers)
        # The same once more with what exists, and with a key that was never used.
        for name in case.path_parameters:
            case.path_parameters[name] = story.ids.get(name, case.path_parameters[name])
        if isinstance(case.body, dict):
            case.body |= {name: value for name, value in known.items() if name in case.body}
        case.headers.pop("Idempotency-Key", None)
        ask(case, headers | {"Idempotency-Key": str(new_id())})

    for found in schema.get_all_operations():
        operation = found.ok()
        try:
            bounded(given(case=operation.as_strategy())(answers_as_described))()
        except (FailureGroup, AssertionError) as fault:
            faults.append(f"{operation.label}: {fault} {getattr(fault, 'exceptions', '')}")
    assert not faults, "\n\n".join(faults)
    # What is asked is not refused at the door throughout: every kind of answer was seen.
    assert {200, 201, 204, 400, 404, 409, 422} <= set(statuses), statuses
