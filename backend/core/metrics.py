"""/metrics (Prometheus) and /healthz: read from the database at each scrape, so every process says the same."""

from collections.abc import Callable, Iterable

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError

from backend.core import events
from backend.core.models import Cursor, Event, FailedEvent

Reading = tuple[str, str, dict[str, str], float]
OK = "ok"
_sources: list[Callable[[], Iterable[Reading]]] = []
_parts: dict[str, Callable[[], str]] = {}


def source(read: Callable[[], Iterable[Reading]]) -> None:
    """Registers a reader of gauges: it yields (name, help, labels, value)."""
    _sources.append(read)


def part(name: str, state: Callable[[], str]) -> None:
    """Registers a part of /healthz: how it stands, read from the database; anything but OK is what is wrong, by its code."""
    _parts[name] = state


def _own() -> Iterable[Reading]:
    newest = events.newest_position()
    yield (
        "yirong_events_waiting",
        "Events recorded and not yet numbered",
        {},
        Event.objects.filter(position__isnull=True).count(),
    )
    yield (
        "yirong_failed_events",
        "Events put aside after five failures",
        {},
        FailedEvent.objects.filter(retried_at=None).count(),
    )
    positions = dict(Cursor.objects.values_list("name", "position"))
    for name in events.subscribers():
        lag = newest - positions.get(name, 0)
        yield "yirong_subscriber_lag", "Newest position minus the subscriber's", {"subscriber": name}, lag


source(_own)


def metrics(request: HttpRequest) -> HttpResponse:
    """All gauges in the Prometheus text format."""
    registry = CollectorRegistry()
    gauges: dict[str, Gauge] = {}
    for read in _sources:
        for name, help_text, labels, value in read():
            gauge = (
                gauges[name]
                if name in gauges
                else gauges.setdefault(name, Gauge(name, help_text, sorted(labels), registry=registry))
            )
            (gauge.labels(**labels) if labels else gauge).set(value)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def health(request: HttpRequest) -> JsonResponse:
    """200 when database and broker answer and every registered part is well, 503 with the name of what is not."""
    parts = {"database": _answers(_database, DatabaseError), "valkey": _answers(_valkey, RedisError, OSError)}
    if parts["database"] == OK:
        parts |= {name: _answers(state, DatabaseError) for name, state in _parts.items()}
    return JsonResponse(parts, status=200 if all(state == OK for state in parts.values()) else 503)


def _answers(ask: Callable[[], str], *failures: type[Exception]) -> str:
    try:
        return ask()
    except failures as error:
        return type(error).__name__


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK


def _valkey() -> str:
    cache.get("health")
    return OK
