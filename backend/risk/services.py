"""Writes of the risk room: count a hit, raise or raise higher the one open alert of its key, acknowledge it."""

from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from backend.core import clock, push
from backend.core.errors import Forbidden, NotFound
from backend.core.events import SYSTEM, Actor, emit
from backend.core.ids import new_id, typed
from backend.core.models import Event
from backend.core.sections import Section
from backend.parties.models import Role
from backend.risk import selectors
from backend.risk.errors import AlertAcknowledged
from backend.risk.events import ALERT_ACKNOWLEDGED, ALERT_RAISED
from backend.risk.models import OPEN_STATES, Alert, AlertState, Severity, Signal
from backend.risk.rules import MODES, Finding, Mode, reason

ACKNOWLEDGING = (Role.RISK_OFFICER, Role.ADMIN, Role.CHECKER, Role.MAKER)


@transaction.atomic
def raise_alert(*, finding: Finding, event: Event, by: Actor = SYSTEM) -> Alert | None:
    """Counts a hit: a new alert, or one more occurrence of the open alert with its key. The same event counts once for each rule.

    The severity may rise with a hit, and what rises must be looked at anew; it never falls. Watchers are told by push; raising is an event
    on the supply chain. None for a rule in shadow: its signal is kept, nobody is told. Raises ValueError for a result that is no hit.
    """
    severity = finding.severity
    if severity is None:
        raise ValueError(f"{finding.result.band} finds nothing")
    signal = _count_once(finding, severity, event)
    if signal is None or MODES[finding.rule.id] is not Mode.LIVE:
        return Signal.objects.select_related("alert").get(rule=finding.rule.id, event=event, key=finding.key).alert
    fresh = Alert(
        id=new_id(),
        rule=finding.rule.id,
        rule_version=finding.rule.version,
        band=finding.result.band,
        severity=severity,
        key=finding.key,
        values=finding.result.values,
        simulated=finding.simulated,
        subject_type=finding.subject[0],
        subject_id=finding.subject[1],
        order_id=finding.order,
        first_seen=event.time,
        last_seen=event.time,
        event_id=new_id(),
    )
    Alert.objects.bulk_create([fresh], ignore_conflicts=True)
    alert = Alert.objects.get(key=finding.key, state__in=OPEN_STATES)
    changed = alert.id == fresh.id or _add_occurrence(alert, finding, severity, event)
    alert.entitled.add(*finding.endangered)  # type: ignore[arg-type] # primary keys will do
    alert.suspected.add(*finding.suspected)  # type: ignore[arg-type]
    Signal.objects.filter(id=signal.id).update(alert=alert)
    if changed:
        _record_raised(alert, event, by)
    else:
        push.push(selectors.watchers(alert), "alert.changed", alert=typed("alert", alert.id))
    return alert


def _count_once(finding: Finding, severity: Severity, event: Event) -> Signal | None:
    """The signal of this rule, event and key, or None when it was counted before."""
    signal = Signal(
        id=new_id(),
        rule=finding.rule.id,
        rule_version=finding.rule.version,
        event=event,
        key=finding.key,
        band=finding.result.band,
        severity=severity,
        values=finding.result.values,
        at=event.time,
    )
    Signal.objects.bulk_create([signal], ignore_conflicts=True)
    return signal if Signal.objects.filter(id=signal.id).exists() else None


def _add_occurrence(alert: Alert, finding: Finding, severity: Severity, event: Event) -> bool:
    """One more on an open alert; True when its severity rose. Both are UPDATEs on the row as it is now, not as it was read."""
    row = Alert.objects.filter(id=alert.id)
    row.update(occurrences=F("occurrences") + 1, version=F("version") + 1, last_seen=Greatest("last_seen", event.time))
    if finding.order:
        row.filter(order__isnull=True).update(order_id=finding.order)
    rose = row.filter(severity__gt=severity).update(
        severity=severity,
        band=finding.result.band,
        values=finding.result.values,
        rule_version=finding.rule.version,
        state=AlertState.NEW,
        event_id=new_id(),
    )
    alert.refresh_from_db()
    return rose == 1


def _record_raised(alert: Alert, event: Event, by: Actor) -> None:
    emit(
        event_id=alert.event_id,
        type=ALERT_RAISED,
        chain="supply",
        subject=("alert", alert.id),
        version=alert.version,
        by=by,
        sections={
            "document": Section(
                {
                    "id": typed("alert", alert.id),
                    "rule": alert.rule,
                    "rule_version": alert.rule_version,
                    "band": alert.band,
                    "severity": alert.severity,
                    "values": alert.values,
                    "reason": reason(alert.band, alert.values),
                    "subject": {"type": alert.subject_type, "id": str(alert.subject_id or "")},
                    "order": alert.order_id and typed("order", alert.order_id),
                    "because_of": typed("event", event.id),
                    "simulated": alert.simulated,
                }
            )
        },
        audience=selectors.watchers(alert),
        payload={
            "alert": str(alert.id),
            "rule": alert.rule,
            "severity": alert.severity,
            "occurrences": alert.occurrences,
        },
    )


@transaction.atomic
def acknowledge_alert(*, by: Actor, alert_id: UUID, note: str) -> Alert:
    """Somebody has seen the alert and says so, once: who, when, and a note.

    Raises NotFound (absent, or not the caller's to see), Forbidden (a role that only looks), AlertAcknowledged (somebody was first).
    """
    if not selectors.visible_alerts(by).filter(id=alert_id).exists():
        raise NotFound()
    member = selectors.active_member(by)
    if member is None or not member.has_role(*ACKNOWLEDGING):
        raise Forbidden()
    at = clock.now()
    acknowledged = Alert.objects.filter(id=alert_id, state=AlertState.NEW).update(
        state=AlertState.ACKED,
        acknowledged_by=member,
        acknowledged_at=at,
        acknowledgement=note,
        version=F("version") + 1,
    )
    alert = selectors.visible_alerts(by).get(id=alert_id)
    if not acknowledged:
        raise AlertAcknowledged(acknowledged_at=clock.rfc3339(alert.acknowledged_at) if alert.acknowledged_at else None)
    emit(
        type=ALERT_ACKNOWLEDGED,
        chain="supply",
        subject=("alert", alert.id),
        version=alert.version,
        by=by,
        sections={"act": Section({"note": note, "at": clock.rfc3339(at)}, person=by.person, purpose="note")},
        audience=selectors.watchers(alert),
        payload={"alert": str(alert.id), "rule": alert.rule, "severity": alert.severity},
    )
    return alert
