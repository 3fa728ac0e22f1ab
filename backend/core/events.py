"""The spine: record an event with the change itself, number it after the commit, hand it to every subscriber once.

emit()              inside the service's transaction: the Event row and its sections
number_waiting()    one short transaction: positions over all events, indices over each chain, both without a gap
run_subscriber()    a named cursor over positions; effects and cursor move in one transaction, so each event counts once
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from django.db import connection, transaction

from backend.core import clock, push
from backend.core.ids import new_id, typed
from backend.core.models import Chain, Cursor, Event, FailedEvent, SealedSection, Sequence
from backend.core.sections import Section, seal_sections
from backend.core.wake import wake
from backend.ledger import commitment

log = structlog.get_logger(__name__)

NUMBERED_AT_ONCE = 4_096
HANDLED_AT_ONCE = 100
HANDLED_SECONDS = 0.05
FAILURES_BEFORE_ASIDE = 5
# A push names documents. People and devices are nobody's business on the other side.
TOLD = (
    "order",
    "amendment",
    "production",
    "despatch",
    "waybill",
    "receipt",
    "invoice",
    "credit_note",
    "payment",
    "dispute",
    "voucher",
    "alert",
)


@dataclass(frozen=True)
class Actor:
    """Who acts: the person, as which member of which organisation, on which device, with what assurance (L0 to L4)."""

    person: UUID | None = None
    member: UUID | None = None
    organisation: UUID | None = None
    device: UUID | None = None
    session: str | None = None
    assurance: str = "L0"
    ip: str | None = None
    network_type: str = ""
    simulated: bool = False
    handset: str = ""


SYSTEM = Actor()


_guards: list[Callable[[Event], None]] = []


def guard(check: Callable[[Event], None]) -> None:
    """Registers a rule of a room (in an app's `ready`) that every event must keep: `check` sees it unsaved, and raises to refuse it."""
    if check not in _guards:
        _guards.append(check)


class NoSubscriber(LookupError):
    """An event was put aside for a subscriber that is no more."""


def emit(
    *,
    type: str,
    chain: str | None,
    subject: tuple[str, UUID],
    by: Actor,
    version: int = 1,
    sections: dict[str, Section] | None = None,
    audience: Iterable[UUID] = (),
    payload: dict[str, Any] | None = None,
    told: Mapping[UUID, Mapping[str, UUID | None]] | None = None,
    event_id: UUID | None = None,
) -> Event:
    """Records that something happened, in the transaction of the change; after the commit it is numbered, anchored and told.

    `sections` are sealed and committed to in the leaf; a `header` (type, subject, version, actor) is added to them. `audience` is who may
    be told by push; `payload` holds ids and plain values for subscribers, never personal data. `told` names, for some of the audience, other
    documents than the payload does (None: none), because not everybody may open the same ones. An event without a chain is not anchored.
    Raises TransactionManagementError outside a transaction: the change and its event would not be one; and whatever a guard raises.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("an event is recorded in the transaction of its change")
    subject_type, subject_id = subject
    event = Event(
        id=event_id or new_id(),
        type=type,
        chain=chain,
        subject_type=subject_type,
        subject_id=subject_id,
        version=version,
        actor_member=by.member,
        actor_organisation=by.organisation,
        actor_device=by.device,
        time=clock.now(),
        payload=(payload or {}) | ({"told": _told(told)} if told else {}),
        audience=[str(one) for one in dict.fromkeys(audience)],
    )
    for check in _guards:
        check(event)
    rows: list[SealedSection] = []
    if chain is not None:
        commitments, rows = seal_sections(event, {"header": Section(_header(event, by)), **(sections or {})})
        event.leaf = commitment.build_leaf(str(event.id), chain, event.time, commitments)
    event.save(force_insert=True)
    SealedSection.objects.bulk_create(rows)
    push.push_all(
        [
            push.Push((UUID(one),), f"{subject_type}.changed", {"type_": type} | ids_told(event, one))
            for one in event.audience
        ]
    )
    transaction.on_commit(wake, robust=True)
    return event


def _told(told: Mapping[UUID, Mapping[str, UUID | None]]) -> dict[str, dict[str, str | None]]:
    return {
        str(one): {name: None if value is None else str(value) for name, value in ids.items()}
        for one, ids in told.items()
    }


def ids_told(event: Event, organisation: str) -> dict[str, str]:
    """The documents of an event by kind, as one of its audience is told of them."""
    named = event.payload | event.payload.get("told", {}).get(organisation, {})
    ids = {name: typed(name, UUID(value)) for name, value in named.items() if name in TOLD and value}
    return ids | {"event": typed("event", event.id)}


def _header(event: Event, by: Actor) -> dict[str, Any]:
    return {
        "type": event.type,
        "subject": {"type": event.subject_type, "id": str(event.subject_id)},
        "version": event.version,
        "actor": {
            "member": by.member and str(by.member),
            "organisation": by.organisation and str(by.organisation),
            "device": by.device and str(by.device),
            "assurance": by.assurance,
        },
    }


def number_waiting(limit: int = NUMBERED_AT_ONCE) -> int:
    """Gives the next positions and indices to at most `limit` waiting events, oldest id first; how many it numbered.

    The first statement takes the lock on SQLite and PostgreSQL alike: one row, because two that lock several can meet in another order. The
    rest comes in statements of their own: on PostgreSQL one statement that waits and counts would count what was there before the wait.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE core_sequence SET next = next WHERE name = 'position'")
        cursor.execute("SELECT name, next FROM core_sequence")
        following = dict(cursor.fetchall())
        cursor.execute(
            """
            UPDATE core_event SET position = numbered.place + %s,
                "index" = CASE core_event.chain WHEN 'supply' THEN numbered.place_in_chain + %s
                                                WHEN 'asset' THEN numbered.place_in_chain + %s END
            FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place,
                         row_number() OVER (PARTITION BY chain ORDER BY id) - 1 AS place_in_chain
                  FROM (SELECT id, chain FROM core_event WHERE position IS NULL ORDER BY id LIMIT %s) AS waiting) AS numbered
            WHERE core_event.id = numbered.id
            """,
            [following["position"], following[Chain.SUPPLY], following[Chain.ASSET], limit],
        )
        # Not grouped by the database: SQLite would walk through the events of all times in the order of their chains.
        cursor.execute("SELECT chain FROM core_event WHERE position >= %s", [following["position"]])
        counted = Counter(chain for (chain,) in cursor.fetchall())
        numbered = sum(counted.values())
        if numbered:
            for name, count in {"position": numbered, **{chain: n for chain, n in counted.items() if chain}}.items():
                cursor.execute("UPDATE core_sequence SET next = next + %s WHERE name = %s", [count, name])
    return numbered


def waiting() -> bool:
    """Whether an event has no position yet."""
    return Event.objects.filter(position=None).exists()


Handler = Callable[[Event], None]
_subscribers: dict[str, tuple[frozenset[str], Handler]] = {}
_followers: dict[str, Callable[[], None]] = {}


def subscribe(name: str, types: Iterable[str], handler: Handler) -> None:
    """Registers a subscriber (in an app's `ready`): `handler` gets each event of `types` once, in a transaction of its own cursor."""
    _subscribers[name] = (frozenset(types), handler)


def follow(name: str, run: Callable[[], None]) -> None:
    """Registers work that keeps a cursor of its own (the ledger's is its size) and is woken after events were numbered."""
    _followers[name] = run


def subscribers() -> tuple[str, ...]:
    """The names of all subscribers."""
    return tuple(_subscribers)


def followers() -> dict[str, Callable[[], None]]:
    """What is woken after numbering, by name."""
    return dict(_followers)


def newest_position() -> int:
    """The position of the newest numbered event, 0 when there is none."""
    return Sequence.objects.get(name="position").next - 1


def run_subscriber(name: str) -> bool:
    """Hands the next events to a subscriber: at most 100, or 50 ms of them. True when more may wait.

    The claim is a conditional UPDATE of the cursor, first in the transaction; a second worker finds the cursor moved and leaves. An event
    that fails rolls back to its savepoint, is tried again later, and after five failures is put aside as a FailedEvent.
    """
    types, handler = _subscribers[name]
    cursor, _ = Cursor.objects.get_or_create(name=name)
    events = list(Event.objects.filter(position__gt=cursor.position).order_by("position")[:HANDLED_AT_ONCE])
    if not events:
        return False
    with transaction.atomic():
        claim = Cursor.objects.filter(name=name, position=cursor.position, failures=cursor.failures)
        if not claim.update(position=events[-1].position):
            return False
        started, reached, failures = time.monotonic(), cursor.position, 0
        for event in events:
            if event.type in types:
                if time.monotonic() - started > HANDLED_SECONDS:
                    break
                error = _handle(handler, event)
                if error is not None:
                    failures = cursor.failures + 1 if reached == cursor.position else 1
                    log.warning(
                        "subscriber failed", subscriber=name, event_id=str(event.id), failures=failures, exc_info=error
                    )
                    if failures < FAILURES_BEFORE_ASIDE:
                        break
                    FailedEvent.objects.create(
                        subscriber=name, event=event, error=f"{error.__class__.__name__}: {error}"[:200]
                    )
                    failures = 0
            reached = event.position or reached
        Cursor.objects.filter(name=name).update(position=reached, failures=failures)
    return failures == 0 and reached < newest_position()


def retry_failed(failed_id: UUID) -> bool:
    """Hands an event that was put aside to its subscriber once more; False when that was done before.

    Effects and mark are one transaction. Raises what the handler raises (the event then stays aside), FailedEvent.DoesNotExist, and
    NoSubscriber.
    """
    with transaction.atomic():
        if not FailedEvent.objects.filter(id=failed_id, retried_at=None).update(retried_at=clock.now()):
            FailedEvent.objects.get(id=failed_id)
            return False
        failed = FailedEvent.objects.select_related("event").get(id=failed_id)
        if failed.subscriber not in _subscribers:
            raise NoSubscriber(failed.subscriber)
        _, handler = _subscribers[failed.subscriber]
        handler(failed.event)
    return True


def _handle(handler: Handler, event: Event) -> Exception | None:
    try:
        with transaction.atomic():
            handler(event)
    except Exception as error:  # noqa: BLE001 - whatever it was, the caller counts and logs it
        return error
    return None
