from backend.core.errors import Conflict


class AlertAcknowledged(Conflict):
    """Somebody acknowledged the alert before; `acknowledged_at` says when."""

    code, title = "alert-acknowledged", "This alert was acknowledged already"
