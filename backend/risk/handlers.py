"""The subscriber `risk`: every event that a rule is asked about."""

from backend.core import events
from backend.core.models import Event
from backend.risk import findings, services


def examine(event: Event) -> None:
    """Asks the rules about an event; each hit is counted on its alert."""
    for finding in findings.hits(event):
        services.raise_alert(finding=finding, event=event)


def register() -> None:
    """Called once, when the app is ready."""
    events.subscribe("risk", findings.ASKED, examine)
