from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length

from backend.core import clock
from backend.core.ids import new_id

LEAF_LIMIT = 65_535

models.BinaryField.register_lookup(Length)


class Chain(models.TextChoices):
    SUPPLY = "supply"
    ASSET = "asset"


class Event(models.Model):
    """One thing that happened, written in the transaction of the change itself: the outbox.

    `leaf` is what the ledger will hold, byte for byte, and is never rendered again. `position` orders all events without a gap, `index` those
    of one chain; both are given after the commit, by the sequencer. `payload` carries ids and plain values for the house's own subscribers.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    type = models.CharField(max_length=64)
    chain = models.CharField(max_length=8, choices=Chain.choices, null=True)  # noqa: DJ001 - no chain is no name
    subject_type = models.CharField(max_length=32)
    subject_id = models.UUIDField()
    version = models.PositiveIntegerField(default=1)
    actor_member = models.UUIDField(null=True)
    actor_organisation = models.UUIDField(null=True)
    actor_device = models.UUIDField(null=True)
    time = models.DateTimeField()
    leaf = models.BinaryField(null=True)
    payload = models.JSONField(default=dict)
    audience = models.JSONField(default=list)
    position = models.BigIntegerField(null=True, unique=True)
    index = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chain", "index"], name="event_index_once_a_chain"),
            models.CheckConstraint(
                condition=Q(chain__isnull=True, leaf__isnull=True, index__isnull=True)
                | Q(chain__isnull=False, leaf__isnull=False),
                name="event_leaf_goes_with_chain",
            ),
            models.CheckConstraint(
                condition=Q(leaf__isnull=True) | Q(leaf__length__lte=LEAF_LIMIT), name="event_leaf_fits_an_entry"
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(position__isnull=True), name="event_waiting"),
            models.Index(fields=["subject_id", "type"], name="event_subject"),
        ]


class Sequence(models.Model):
    """A counter: `position`, `supply` or `asset`. Its row is the lock under which numbers are given."""

    name = models.CharField(max_length=8, primary_key=True)
    next = models.BigIntegerField()


class Cursor(models.Model):
    """How far a subscriber has come; moved in the same transaction as the subscriber's effects."""

    name = models.CharField(max_length=64, primary_key=True)
    position = models.BigIntegerField(default=0)
    failures = models.PositiveSmallIntegerField(default=0)


class FailedEvent(models.Model):
    """An event that a subscriber could not handle five times: shown, and retried by hand."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subscriber = models.CharField(max_length=64)
    event = models.ForeignKey(Event, on_delete=models.PROTECT)
    error = models.CharField(max_length=200)
    at = models.DateTimeField(default=clock.now)
    retried_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subscriber", "event"], name="failed_event_once_a_subscriber")]


class DataKey(models.Model):
    """A key under which one kind of data of one person (or of no person) lies; destroying it erases that data.

    `scope` is a document, or a month for sign-ins, so that each kind can be erased at its own time (PIPL art. 47).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.UUIDField(null=True)
    purpose = models.CharField(max_length=32)
    scope = models.CharField(max_length=64)
    wrapped = models.BinaryField(null=True)
    master = models.CharField(max_length=36)
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "purpose", "scope"], condition=Q(person__isnull=False), name="data_key_of_a_person"
            ),
            models.UniqueConstraint(
                fields=["purpose", "scope"], condition=Q(person__isnull=True), name="data_key_of_nobody"
            ),
            models.CheckConstraint(
                condition=Q(destroyed_at__isnull=True, wrapped__isnull=False)
                | Q(destroyed_at__isnull=False, wrapped__isnull=True),
                name="data_key_gone_when_destroyed",
            ),
        ]


class SealedSection(models.Model):
    """A section of an event: salt and canonical JSON under a data key. The leaf holds its commitment only."""

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="sections")
    name = models.CharField(max_length=16)
    data_key = models.ForeignKey(DataKey, on_delete=models.PROTECT)
    nonce = models.BinaryField()
    sealed = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "name"], name="section_once_an_event")]


class IdempotentAnswer(models.Model):
    """A write that was done, by its caller and key, with the answer it got: the same key again gets the same answer, for a while."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    key = models.CharField(max_length=64)
    request_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="idempotency_key_once_a_person")]
        indexes = [models.Index(fields=["at"], name="answer_by_age")]
