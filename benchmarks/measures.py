"""What is measured, each against its target."""

import argparse
import json
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backend.core.ids import typed
from backend.risk.models import Alert
from benchmarks.load import listening, per_second, send
from benchmarks.people import Request, deliveries, people, receipt
from benchmarks.stage import Stage, settle

ROUNDS = 5
SIGNED_A_ROUND, BARE_A_ROUND, WARMING = 100, 300, 20
WARNINGS, WARNINGS_A_SECOND, METRES_AWAY = 150, 5, 12_000


@dataclass(frozen=True)
class Row:
    """A line of the table; `met` is None for a figure without a target."""

    measure: str
    measured: str
    target: str = ""
    met: bool | None = None


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all values do not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _latency(what: str, values: Sequence[float], targets: dict[float, float]) -> Iterable[Row]:
    for share, target in targets.items():
        found = percentile(values, share)
        yield Row(f"{what}, p{share * 100:.0f}", f"{found * 1000:.0f} ms", f"< {target * 1000:.0f} ms", found < target)
    yield Row(f"{what}, longest of {len(values)}", f"{max(values) * 1000:.0f} ms")


def signing(stage: Stage, options: argparse.Namespace) -> Iterable[Row]:
    """Signed receipts a second beside a bare view that inserts one row for the same signed-in clerk, in turns, on the same server."""
    with stage.console.status("signing: preparing deliveries"):
        waiting = deliveries(WARMING + ROUNDS * SIGNED_A_ROUND)
        settle()
    bare = Request(
        "/bare/",
        json.dumps({"text": "x" * 50}).encode(),
        {"Authorization": f"Token {people().clerk.token}", "Content-Type": "application/json"},
    )
    signed = [receipt(despatch, metres_away=10) for despatch in waiting]
    rates: list[tuple[float, float]] = []
    signing_seconds = inserting_seconds = 0.0
    send(stage.port, [bare] * WARMING + signed[:WARMING], connections=options.connections)
    for number in range(ROUNDS):
        with stage.console.status(f"signing: round {number + 1} of {ROUNDS}"):
            start = WARMING + number * SIGNED_A_ROUND
            before = stage.web_seconds()
            inserted = send(stage.port, [bare] * BARE_A_ROUND, connections=options.connections)
            between = stage.web_seconds()
            received = send(stage.port, signed[start : start + SIGNED_A_ROUND], connections=options.connections)
            signing_seconds += stage.web_seconds() - between
            inserting_seconds += between - before
            settle()
        rates.append((per_second(received), per_second(inserted)))
    share = statistics.median(one / other for one, other in rates)
    clients = f"{options.connections} clients"
    yield Row(f"Receipts signed a second ({clients})", f"{statistics.median(one for one, _ in rates):.0f}")
    yield Row(
        f"Bare view, one row inserted, a second ({clients})", f"{statistics.median(other for _, other in rates):.0f}"
    )
    yield Row(f"Signing as a share of the bare view (median of {ROUNDS})", f"{share:.2f}", "> 0.33", share > 1 / 3)
    one, other = signing_seconds / (ROUNDS * SIGNED_A_ROUND), inserting_seconds / (ROUNDS * BARE_A_ROUND)
    yield Row(
        "  processor time of the web process: a signature, a bare row", f"{one * 1000:.1f} ms, {other * 1000:.1f} ms"
    )


def chain(stage: Stage, options: argparse.Namespace) -> Iterable[Row]:
    """From sending a signed receipt to the push that says it is on the chain, at a steady rate (20 a second)."""

    count = options.rate * options.seconds
    with stage.console.status("chain: preparing deliveries"):
        waiting = [receipt(despatch, metres_away=10) for despatch in deliveries(count)]
        settle()
    with (
        stage.console.status(f"chain: {count} receipts at {options.rate}/s"),
        listening(stage.port, people().clerk.token, "event.on_chain", "event") as phone,
    ):
        answers = send(stage.port, waiting, connections=2 * options.connections, rate=options.rate)
        events = {answer.body["anchor"]["event"]: answer for answer in answers}
        phone.wait_for(set(events))
    what = f"Signature sent -> on chain at {options.rate}/s"
    yield from _latency(
        what, [phone.arrived[event] - answer.due for event, answer in events.items()], {0.5: 0.5, 0.99: 1.5}
    )
    answered = [answer.answered - answer.due for answer in answers]
    yield Row("  of that: until the signature is answered, p50", f"{percentile(answered, 0.5) * 1000:.0f} ms")


def warning(stage: Stage, options: argparse.Namespace) -> Iterable[Row]:
    """From sending a receipt signed 12 km away to the alert's push on the risk officer's WebSocket."""
    with stage.console.status("warning: preparing deliveries"):
        waiting = [receipt(despatch, metres_away=METRES_AWAY) for despatch in deliveries(WARNINGS)]
        settle()
    with (
        stage.console.status(f"warning: {WARNINGS} receipts from {METRES_AWAY / 1000:.0f} km away"),
        listening(stage.port, people().officer.token, "alert.changed", "alert") as dashboard,
    ):
        answers = send(stage.port, waiting, connections=options.connections, rate=WARNINGS_A_SECOND)
        settle()
        alerts = {typed("receipt", alert.subject_id): alert for alert in Alert.objects.filter(rule="R21")}
        told = {answer.body["id"]: typed("alert", alerts[answer.body["id"]].id) for answer in answers}
        dashboard.wait_for(set(told.values()))
    sent = [dashboard.arrived[told[answer.body["id"]]] - answer.due for answer in answers]
    yield from _latency("Signature sent -> alert on the dashboard", sent, {0.99: 1.0})
