"""The dashboard of alerts: the live list, one alert with why, its acknowledgement, the chart's numbers."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from backend.console import labels
from backend.console.ledger_health import ledger_health
from backend.console.seat import SeatedRequest, seated, show
from backend.console.templatetags.console import metres
from backend.core import ids
from backend.core.errors import Forbidden, NotFound
from backend.core.events import Actor
from backend.risk import selectors
from backend.risk.errors import AlertAcknowledged
from backend.risk.models import OPEN_STATES, Alert, Severity
from backend.risk.services import ACKNOWLEDGING, acknowledge_alert

SHOWN = 100
SIGNALS_SHOWN = 50
NOTE_LENGTH = 1000


@dataclass(frozen=True)
class Fact:
    """A value that a rule compared, named for a person."""

    label: str
    value: str


def _urgent_first(alerts: QuerySet[Alert]) -> QuerySet[Alert]:
    """Those nobody has seen before those somebody has, then by severity, then the oldest."""
    return alerts.order_by("-state", "severity", "first_seen", "id")


def newest_alerts(by: Actor, *, limit: int) -> list[Alert]:
    """The open alerts of the caller, the most urgent first."""
    return list(_urgent_first(selectors.visible_alerts(by).filter(state__in=OPEN_STATES))[:limit])


@require_safe
@seated
def alert_list(request: SeatedRequest) -> HttpResponse:
    """The alerts the member may see: all that are open, or those in one state."""
    by = request.seat.by
    visible = selectors.visible_alerts(by)
    state = request.GET.get("state", "")
    states = [state] if state in labels.ALERT_STATES else OPEN_STATES
    rows = list(_urgent_first(visible.filter(state__in=states))[: SHOWN + 1])
    counted = dict(visible.filter(state="NEW").order_by().values_list("severity").annotate(Count("id", distinct=True)))
    return show(
        request,
        "console/alerts.html",
        alerts=rows[:SHOWN],
        more=len(rows) > SHOWN,
        state=state if state in labels.ALERT_STATES else "",
        states=[(code, text) for code, (text, _tone) in labels.ALERT_STATES.items()],
        open_by_severity=[(severity, counted.get(severity, 0)) for severity in Severity.values],
        ledger=ledger_health(),
    )


@require_safe
@seated
def series(request: SeatedRequest) -> HttpResponse:
    """The chart's numbers: {days: ["11-23"], series: [{severity, counts}]}, fourteen days."""
    chart = selectors.alert_chart(request.seat.by)
    days = [day[5:] for day in chart["days"]]
    body = {"days": days, "series": [{"severity": severity, "counts": chart[severity]} for severity in Severity.values]}
    return JsonResponse(body, headers={"Cache-Control": "no-store"})


@require_safe
@seated
def alert_page(request: SeatedRequest, alert: str) -> HttpResponse:
    """One alert: the sentence, the values compared, each time it was seen, what was done."""
    return _alert_page(request, ids.from_typeid("alr", alert))


@require_POST
@seated
def acknowledge(request: SeatedRequest, alert: str) -> HttpResponse:
    """Records that somebody looked, with a note. An empty note, and an alert that somebody took first, are said on the page."""
    alert_id = ids.from_typeid("alr", alert)
    note = request.POST.get("note", "").strip()
    if not note or len(note) > NOTE_LENGTH:
        error = _("Write a note of at most 1,000 characters.")
        return _alert_page(request, alert_id, note=note, error=error, status=422)
    try:
        acknowledge_alert(by=request.seat.by, alert_id=alert_id, note=note)
    except AlertAcknowledged:
        messages.warning(request, _("Somebody acknowledged this before you; your note was not kept."))
    except Forbidden:
        raise Forbidden(_("Your role may see alerts, not acknowledge them.")) from None
    else:
        messages.success(request, _("Acknowledged."))
    return redirect("console:alert", alert)


def _alert_page(
    request: SeatedRequest, alert_id: UUID, *, note: str = "", error: str = "", status: int = 200
) -> HttpResponse:
    seat = request.seat
    found = selectors.visible_alerts(seat.by).filter(id=alert_id).first()
    if found is None:
        raise NotFound()
    names = selectors.subject_names([found])
    signals = list(found.signals.order_by("-at", "-id")[:SIGNALS_SHOWN])
    return show(
        request,
        "console/alert.html",
        status=status,
        alert=found,
        facts=facts(found.values),
        subject_name=names.get(found.subject_id, "") if found.subject_id else "",
        signals=signals,
        may_acknowledge=seat.member.has_role(*ACKNOWLEDGING),
        note=note,
        error=error,
    )


def facts(values: dict[str, Any]) -> list[Fact]:
    """The values a rule compared, in the reader's language; a value in both languages is shown in one."""
    language = "en" if get_language() == "en" else "zh"
    other = "zh" if language == "en" else "en"
    shown = []
    for name, value in values.items():
        if name.endswith(f"_{other}") and name.removesuffix(other) + language in values:
            continue
        text = metres(value) if name.endswith("_m") else str(value)
        plain = name.removesuffix(f"_{language}")
        shown.append(Fact(str(labels.FACTS.get(plain, plain)), text))
    return shown
