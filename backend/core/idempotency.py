"""A write repeated with the same key is the same write (domain invariant A15)."""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from backend.core import clock
from backend.core.errors import Conflict, Malformed, NotAuthenticated
from backend.core.models import IdempotentAnswer

# An answer holds what its reader could see, in plain text: it is kept for as long as an act may wait on a phone, and a week more.
ANSWERS_KEPT = clock.ACT_MAY_WAIT + timedelta(days=7)
FORGOTTEN_AT_ONCE = 500

KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")


class KeyRequired(Malformed):
    code, title = "idempotency-key-required", "The header Idempotency-Key is missing or malformed"


class KeyMismatch(Conflict):
    code, title = "idempotency-mismatch", "This Idempotency-Key was used for another request"


def _digest(request: Request) -> str:
    body = request.data if isinstance(request.data, dict | list) else {}
    text = json.dumps(body, sort_keys=True, ensure_ascii=True, cls=JSONEncoder)
    return hashlib.sha256(f"{request.method} {request.path}\n{text}".encode()).hexdigest()


def idempotent(write: Callable[..., Response] | None = None, *, told_once: tuple[str, ...] = ()) -> Any:
    """Decorates a write of an API view: opens the transaction, stores the answer with the caller's key, and gives it again for a repeat.

    The key is the header Idempotency-Key (the phone's `client_event_id`), unique with the person. A refused write stores nothing and may
    be tried again. A repeat is found out when it fails, at the latest when its answer is stored: all it did is rolled back then, so a write
    changes nothing outside the database before its commit. Two at once: the second waits for the first's commit, then gets its answer.
    `told_once` names members of the answer that are secrets: they are not stored, and null in a repeat.
    Raises KeyRequired (400) and KeyMismatch (409, same key with another request).
    """
    if write is None:
        return lambda decorated: idempotent(decorated, told_once=told_once)

    @wraps(write)
    def once(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key", "")
        if not KEY.fullmatch(key):
            raise KeyRequired("Send 8 to 64 letters, digits, - or _; a UUID will do.", field="Idempotency-Key")
        digest, person = _digest(request), request.user.pk
        if person is None:
            raise NotAuthenticated()
        try:
            with transaction.atomic():
                response = write(self, request, *args, **kwargs)
                body = json.loads(json.dumps(response.data, cls=JSONEncoder))
                if told_once:
                    body |= dict.fromkeys(told_once)
                IdempotentAnswer.objects.create(
                    person_id=person, key=key, request_sha256=digest, status=response.status_code, body=body
                )
            return response
        except Exception:
            stored = IdempotentAnswer.objects.filter(person_id=person, key=key).first()
            if stored is None:
                raise
        if stored.request_sha256 != digest:
            raise KeyMismatch()
        return Response(stored.body, status=stored.status, headers={"Idempotent-Replay": "true"})

    once.idempotent = True  # type: ignore[attr-defined] # read by the schema
    return once


def forget_answers() -> int:
    """Deletes the answers older than ANSWERS_KEPT, a batch a transaction, so that nobody's write waits long: how many went."""
    old = IdempotentAnswer.objects.filter(at__lt=clock.now() - ANSWERS_KEPT).order_by("at")
    gone = 0
    while batch := list(old.values_list("id", flat=True)[:FORGOTTEN_AT_ONCE]):
        gone += IdempotentAnswer.objects.filter(id__in=batch).delete()[0]
    return gone
