"""What risk tells the other rooms. Payload of both: `alert`, `rule`, `severity`; of a raised one also `occurrences`."""

ALERT_RAISED = "alert.raised"
ALERT_ACKNOWLEDGED = "alert.acknowledged"
