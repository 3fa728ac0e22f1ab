from django.db import models

from backend.core.ids import new_id
from backend.trade.models.orders import PurchaseOrder


class DocumentVersion(models.Model):
    """A document as it stood at one version: what superseded it is the next row. Only ever inserted."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(PurchaseOrder, on_delete=models.PROTECT, related_name="versions")
    subject_type = models.CharField(max_length=16)
    subject_id = models.UUIDField()
    version = models.PositiveIntegerField()
    document = models.JSONField()
    digest = models.CharField(max_length=64)
    reason = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()
    event_id = models.UUIDField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject_type", "subject_id", "version"], name="document_version_once")
        ]
