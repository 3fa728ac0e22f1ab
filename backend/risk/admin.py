from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from backend.risk.models import Alert, Signal


class ReadOnly(admin.ModelAdmin):
    """Alerts are raised by rules and acknowledged by members, not edited."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Alert)
class AlertAdmin(ReadOnly):
    list_display = ("id", "severity", "rule", "band", "state", "occurrences", "first_seen", "last_seen")
    list_filter = ("state", "severity", "rule")
    date_hierarchy = "first_seen"


@admin.register(Signal)
class SignalAdmin(ReadOnly):
    list_display = ("id", "rule", "band", "severity", "at", "alert")
    list_filter = ("rule", "severity")
