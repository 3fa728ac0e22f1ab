from django.conf import settings
from django.db import models
from django.db.models import Q

from backend.core import clock
from backend.core.ids import new_id
from backend.core.models import Chain, DataKey


class Mime(models.TextChoices):
    JPEG = "image/jpeg"
    PNG = "image/png"
    PDF = "application/pdf"


class Source(models.TextChoices):
    CAMERA = "camera"
    ALBUM = "album"
    FILE = "file"


class StoredFile(models.Model):
    """The bytes of an evidence file, kept once for all who bring the same ones, encrypted on disk under a key of its own.

    `facts` is what the file says about itself (canonical JSON, sealed under the same key: nonce, then ciphertext and tag). The file on disk
    is named by the id, so that the folder's listing tells nobody whether it holds a document he knows.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    sha256 = models.CharField(max_length=64, unique=True)
    size = models.PositiveIntegerField()
    mime = models.CharField(max_length=32, choices=Mime.choices)
    data_key = models.ForeignKey(DataKey, on_delete=models.PROTECT)
    facts = models.BinaryField()
    stored_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(size__gt=0), name="stored_file_not_empty")]


class Upload(models.Model):
    """A file on its way in: what was promised of it, and how many bytes have arrived. It is complete when digest and type were found true."""

    class State(models.TextChoices):
        OPEN = "OPEN"
        COMPLETE = "COMPLETE"
        FAILED = "FAILED"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey("parties.Organisation", on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    filename = models.CharField(max_length=200)
    mime = models.CharField(max_length=32, choices=Mime.choices)
    source = models.CharField(max_length=8, choices=Source.choices)
    captured_at = models.DateTimeField(null=True)
    received = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    failure = models.CharField(max_length=32, blank=True)
    file = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(default=clock.now)
    moved_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(received__lte=models.F("size")), name="upload_within_its_size"),
            models.CheckConstraint(
                condition=Q(state="COMPLETE", file__isnull=False, received=models.F("size"))
                | (~Q(state="COMPLETE") & Q(file__isnull=True)),
                name="upload_complete_has_file",
            ),
        ]
        indexes = [
            models.Index(fields=["person", "state"], name="upload_of_person"),
            models.Index(fields=["moved_at"], condition=Q(state="OPEN"), name="upload_unfinished"),
        ]


class VoucherKind(models.TextChoices):
    CONTRACT = "contract"
    STAMPED_DELIVERY_NOTE = "stamped_delivery_note"
    WEIGHBRIDGE_TICKET = "weighbridge_ticket"
    QUALITY_REPORT = "quality_report"
    INVOICE = "invoice"
    PHOTO = "photo"
    SIGNATURE = "signature"
    DELIVERY_DOCUMENT = "delivery_document"
    OTHER = "other"


class Voucher(models.Model):
    """A file attached by a party to an order, a despatch or a receipt. Never changed: every column is sealed by its event."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    upload = models.ForeignKey(Upload, on_delete=models.PROTECT, related_name="vouchers")
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="vouchers")
    kind = models.CharField(max_length=32, choices=VoucherKind.choices)
    subject_type = models.CharField(max_length=32)
    subject_id = models.UUIDField()
    order_id = models.UUIDField(null=True)
    organisation = models.ForeignKey("parties.Organisation", on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey("parties.Member", on_delete=models.PROTECT, related_name="+")
    filename = models.CharField(max_length=200)
    source = models.CharField(max_length=8, choices=Source.choices)
    event_id = models.UUIDField(unique=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["upload", "subject_type", "subject_id"], name="voucher_once_a_subject"),
        ]
        indexes = [
            models.Index(fields=["subject_type", "subject_id"], name="voucher_subject"),
            models.Index(fields=["order_id"], name="voucher_order"),
        ]


class LedgerOrigin(models.Model):
    """The name under which a chain signs, given once. A server whose settings name another one refuses to work."""

    chain = models.CharField(max_length=8, choices=Chain.choices, primary_key=True)
    origin = models.CharField(max_length=200, unique=True)
    vkey = models.CharField(max_length=300)
    created_at = models.DateTimeField(default=clock.now)


class Checkpoint(models.Model):
    """A signed tree of a chain. Its insertion is the commit point: `previous` is one-to-one, so a fork cannot be inserted."""

    chain = models.CharField(max_length=8, choices=Chain.choices)
    size = models.BigIntegerField()
    root = models.BinaryField()
    note = models.BinaryField()
    previous = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="following")
    committed_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chain", "size"], name="checkpoint_once_a_size"),
            models.CheckConstraint(
                condition=Q(size=0, previous__isnull=True) | Q(size__gt=0, previous__isnull=False),
                name="checkpoint_has_previous",
            ),
        ]


class Refusal(models.Model):
    """What a chain refused last, and why: kept until it goes through again, so that everybody who shows how things stand can show it."""

    chain = models.CharField(max_length=8, choices=Chain.choices, primary_key=True)
    code = models.CharField(max_length=32)
    detail = models.TextField()
    since = models.DateTimeField(default=clock.now)


class DrainLease(models.Model):
    """Who drains a chain now: saves double work. Safety is not its business, that is the unique `previous` of a checkpoint."""

    chain = models.CharField(max_length=8, choices=Chain.choices, primary_key=True)
    holder = models.UUIDField(null=True)
    until = models.DateTimeField(default=clock.now)
