from django.db import models

from backend.core.ids import new_id
from backend.parties.models import Delegation, Device, Member, Organisation
from backend.trade.models.orders import PurchaseOrder


class Signature(models.Model):
    """That a member signed a document with a device; what was signed lies in the event's `signature` section.

    `delegation` says by what right, where the member is no signer.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    action = models.CharField(max_length=32)
    subject_type = models.CharField(max_length=16)
    subject_id = models.UUIDField()
    version = models.PositiveIntegerField()
    order = models.ForeignKey(PurchaseOrder, on_delete=models.PROTECT, related_name="signatures")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="signatures")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="signatures")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="signatures")
    delegation = models.ForeignKey(Delegation, on_delete=models.PROTECT, null=True, related_name="signatures")
    client_event_id = models.CharField(max_length=64)
    assurance = models.CharField(max_length=2)
    simulated = models.BooleanField(default=False)
    at = models.DateTimeField()
    event_id = models.UUIDField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["action", "subject_id", "version"], name="act_signed_once"),
            models.UniqueConstraint(fields=["member", "client_event_id"], name="signature_once_a_client_event"),
        ]
        indexes = [models.Index(fields=["device", "at"])]
