from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from knox.models import AbstractAuthToken

from backend.core import clock
from backend.core.ids import new_id
from backend.parties.usernames import canonical_username


class Language(models.TextChoices):
    ZH_HANS = "zh-Hans", "简体中文"
    EN = "en", "English"


class PersonManager(BaseUserManager["Person"]):
    def create_user(
        self, *, name: str, username: str | None = None, password: str | None = None, **fields: Any
    ) -> "Person":
        """A person; without a password nobody signs in to the console as them."""
        person = self.model(name=name, username=canonical_username(username) if username else None, **fields)
        person.set_password(password)
        person.save(using=self._db, force_insert=True)
        return person

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> "Person":
        """A person who may use the admin site (`manage.py createsuperuser`)."""
        fields.setdefault("name", username)
        return self.create_user(username=username, password=password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "Person":
        return self.get(username=canonical_username(username or ""))


class Person(AbstractBaseUser, PermissionsMixin):  # type: ignore[django-manager-missing] # knox types no manager
    """A human being. WeChat knows them by `openid`, the console by `username`; either may be absent."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    username = models.CharField(max_length=64, unique=True, null=True, blank=True)
    openid = models.CharField(max_length=64, unique=True, null=True, blank=True)
    name = models.CharField(max_length=64)
    name_en = models.CharField(max_length=64, blank=True)
    language = models.CharField(max_length=8, choices=Language.choices, default=Language.ZH_HANS)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name"]
    objects = PersonManager()

    class Meta:
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return self.name


class OrganisationKind(models.TextChoices):
    BUYER = "BUYER", "采购方"
    SELLER = "SELLER", "供应方"
    FACTORY = "FACTORY", "工厂"
    CARRIER = "CARRIER", "承运方"
    FUNDER = "FUNDER", "资金方"
    OPERATOR = "OPERATOR", "运营方"
    AUDITOR = "AUDITOR", "审计方"


class Verification(models.TextChoices):
    CLAIMED = "CLAIMED", "自称"
    VERIFIED = "VERIFIED", "已核验"


class VerificationMethod(models.TextChoices):
    BUSINESS_LICENCE = "business_licence"  # with the authorisation letter of whoever acts for it
    BANK_TRANSFER = "bank_transfer"
    COMPANY_SEAL = "company_seal"
    DEMONSTRATION = "demonstration"


class Organisation(models.Model):
    """A firm, by its unified social credit code (GB 32100). Anybody may claim a code; one organisation alone is verified for it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    uscc = models.CharField(max_length=18, db_index=True)
    name = models.CharField(max_length=128)
    name_en = models.CharField(max_length=128, blank=True)
    kind = models.CharField(max_length=8, choices=OrganisationKind.choices)
    verification = models.CharField(max_length=8, choices=Verification.choices, default=Verification.CLAIMED)
    verified_method = models.CharField(max_length=64, blank=True)
    verified_by = models.ForeignKey("Member", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["uscc"], condition=Q(verification=Verification.VERIFIED), name="uscc_verified_once"
            ),
            models.CheckConstraint(
                condition=Q(verification=Verification.CLAIMED) | ~Q(verified_method=""), name="verified_says_how"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Site(models.Model):
    """A place of an organisation: WGS-84 degrees and the radius, in metres, that still counts as there."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="sites")
    name = models.CharField(max_length=64)
    address = models.CharField(max_length=200)
    latitude = models.DecimalField(max_digits=10, decimal_places=7)
    longitude = models.DecimalField(max_digits=10, decimal_places=7)
    radius_m = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "name"], name="site_name_once_an_organisation"),
            models.CheckConstraint(
                condition=Q(latitude__range=(-90, 90), longitude__range=(-180, 180), radius_m__gt=0),
                name="site_on_the_globe",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    MAKER = "maker"
    CHECKER = "checker"
    SIGNER = "signer"
    VIEWER = "viewer"
    DRIVER = "driver"
    RISK_OFFICER = "risk_officer"
    ADMIN = "admin"


class Member(models.Model):  # type: ignore[django-manager-missing]
    """A person as part of an organisation, with what they may do there (`roles`: a list of Role values)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="members")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="members")
    roles = models.JSONField(default=list)
    enrolled_by = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    enrolled_at = models.DateTimeField(default=clock.now)
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "organisation"], name="member_once_an_organisation")]

    def __str__(self) -> str:
        return f"{self.person} · {self.organisation}"

    def has_role(self, *roles: str) -> bool:
        """Whether the member has one of these roles."""
        return any(role in self.roles for role in roles)


# What a member of each kind of organisation may be. Risk officers sit where alerts are acted on; only a carrier's people drive.
TRADING_ROLES = frozenset({Role.MAKER, Role.CHECKER, Role.SIGNER, Role.VIEWER, Role.ADMIN})
ROLES_OF_KIND: dict[str, frozenset[Role]] = {
    OrganisationKind.BUYER: TRADING_ROLES | {Role.RISK_OFFICER},
    OrganisationKind.SELLER: TRADING_ROLES,
    OrganisationKind.FACTORY: TRADING_ROLES,
    OrganisationKind.CARRIER: TRADING_ROLES | {Role.DRIVER},
    OrganisationKind.FUNDER: TRADING_ROLES | {Role.RISK_OFFICER},
    OrganisationKind.OPERATOR: frozenset({Role.VIEWER, Role.RISK_OFFICER, Role.ADMIN}),
    OrganisationKind.AUDITOR: frozenset({Role.VIEWER, Role.ADMIN}),
}


class OrganisationVerification(models.Model):
    """That an organisation was found to be who it claims to be: how, by which member of the operator (none: by the server's own command),
    and, where that was taken back, by whom and why. One holds at a time."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="verifications")
    method = models.CharField(max_length=32, choices=VerificationMethod.choices)
    reference = models.CharField(max_length=120, blank=True)
    verified_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    verified_at = models.DateTimeField(default=clock.now)
    revoked_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    revoked_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation"], condition=Q(revoked_at__isnull=True), name="verification_holds_once"
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, reason="") | (Q(revoked_at__isnull=False) & ~Q(reason="")),
                name="verification_revoked_says_why",
            ),
        ]


class Invitation(models.Model):  # type: ignore[django-manager-missing]
    """That somebody may join an organisation, once, until `expires_at`. Of the code only a keyed digest is kept; `locator` is its public part,
    under which wrong codes are counted (`tries`)."""

    TRIES = 5

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="invitations")
    name = models.CharField(max_length=64)
    name_en = models.CharField(max_length=64, blank=True)
    roles = models.JSONField()
    locator = models.CharField(max_length=8, unique=True)
    code_digest = models.CharField(max_length=64)
    tries = models.PositiveSmallIntegerField(default=0)
    issued_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    issued_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="invitations")
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(tries__lte=5), name="invitation_tries_bounded"),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True) | Q(withdrawn_at__isnull=True), name="invitation_ends_once"
            ),
        ]

    @property
    def state(self) -> str:
        """`open`, or what ended it: `accepted`, `withdrawn`, `guessed` (too many wrong codes), `expired`."""
        if self.accepted_at:
            return "accepted"
        if self.withdrawn_at:
            return "withdrawn"
        if self.tries >= self.TRIES:
            return "guessed"
        return "expired" if self.expires_at <= clock.now() else "open"


class DelegatedDocument(models.TextChoices):
    """What may be signed under a delegation: the noun of the act (`order.sign`, `receipt.sign`)."""

    ORDER = "order"
    AMENDMENT = "amendment"
    RECEIPT = "receipt"
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    DISPUTE = "dispute"


class Delegation(models.Model):  # type: ignore[django-manager-missing]
    """That a member may sign for the organisation what a signer may, within kinds of document, an amount and a time."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="delegations")
    from_member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="delegations_given")
    to_member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="delegations")
    doc_types = models.JSONField()
    max_amount_fen = models.BigIntegerField()
    currency = models.CharField(max_length=3, default="CNY")
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField()
    granted_at = models.DateTimeField(default=clock.now)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(valid_from__lt=models.F("valid_to")), name="delegation_has_a_time"),
            models.CheckConstraint(condition=Q(max_amount_fen__gt=0), name="delegation_has_an_amount"),
            models.CheckConstraint(condition=~Q(from_member=models.F("to_member")), name="delegation_to_another"),
        ]
        indexes = [models.Index(fields=["to_member"], condition=Q(revoked_at__isnull=True), name="delegation_held")]

    @property
    def state(self) -> str:
        """`holds`, `later` (not yet), `over`, or `revoked`."""
        now = clock.now()
        if self.revoked_at:
            return "revoked"
        return "later" if now < self.valid_from else "holds" if now < self.valid_to else "over"


class Platform(models.TextChoices):
    H5 = "h5"
    MP_WEIXIN = "mp-weixin"


class Device(models.Model):  # type: ignore[django-manager-missing]
    """A handset, by the Ed25519 public key it made for itself. Several people may use one; who registered it is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    public_key = models.BinaryField(unique=True)
    model = models.CharField(max_length=64)
    system = models.CharField(max_length=64)
    platform = models.CharField(max_length=16, choices=Platform.choices)
    sdk_version = models.CharField(max_length=32)
    registered_at = models.DateTimeField(default=clock.now)
    registered_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.model} · {self.id}"


class Session(AbstractAuthToken):
    """A phone's sign-in: one person, as one member, on one device. Only a digest of the token is kept; a revoked row stays as a record."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    digest = models.CharField(max_length=128, unique=True)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="sessions")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="sessions")
    handset = models.CharField(max_length=32, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return str(self.id)


class SignInResult(models.TextChoices):
    OPENED = "opened"
    REFUSED = "refused"


class LoginRecord(models.Model):
    """One try to sign in, let in or not: what is recorded about a person each time. `source` is a keyed hash, never an address."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    time = models.DateTimeField(default=clock.now)
    channel = models.CharField(max_length=8, choices=[("phone", "phone"), ("console", "console")])
    result = models.CharField(max_length=8, choices=SignInResult.choices)
    failure_code = models.CharField(max_length=32, blank=True)
    source = models.CharField(max_length=64)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="logins")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, null=True, related_name="+")
    session = models.ForeignKey(Session, on_delete=models.PROTECT, null=True, related_name="+")
    model = models.CharField(max_length=64, blank=True)
    system = models.CharField(max_length=200, blank=True)
    platform = models.CharField(max_length=16, blank=True)
    sdk_version = models.CharField(max_length=32, blank=True)
    ip = models.GenericIPAddressField(null=True)
    network_type = models.CharField(max_length=16, blank=True)
    simulated = models.BooleanField(default=False)
    handset = models.CharField(max_length=32, blank=True)
    event = models.UUIDField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["person", "-id"], name="login_of_person"),
            models.Index(fields=["source", "time"], name="login_of_source"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(result=SignInResult.OPENED, failure_code="", person__isnull=False)
                | (Q(result=SignInResult.REFUSED) & ~Q(failure_code="")),
                name="refused_login_says_why",
            )
        ]


class SignInSource(models.Model):
    """The tries of one source that failed or are under way, as times of the last ten minutes: what the lockout counts.

    Changed only by comparing and swapping `version`, so that tries at the same moment are counted one after another.
    """

    source = models.CharField(max_length=64, primary_key=True)
    recent = models.JSONField(default=list)
    version = models.PositiveBigIntegerField(default=0)
    touched_at = models.DateTimeField(db_index=True)


class RefusalWindow(models.Model):
    """How often a source (an address) was refused within one stretch of ten minutes; anchored as one event when the stretch is over."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.CharField(max_length=64)
    started_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)
    event = models.UUIDField(null=True, unique=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "started_at"], name="refusal_window_once_a_source")]
        indexes = [models.Index(fields=["started_at"], condition=Q(event__isnull=True), name="refusal_window_open")]


class Consent(models.Model):
    """A person said yes or no to one purpose, under one version of its text. The newest row of a purpose holds (PIPL art. 14, 15, 29)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="consents")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, null=True, related_name="+")
    purpose = models.CharField(max_length=32)
    text_id = models.CharField(max_length=64)
    text_version = models.CharField(max_length=16)
    text_sha256 = models.CharField(max_length=64)
    given = models.BooleanField()
    at = models.DateTimeField(default=clock.now)
    event = models.UUIDField()

    class Meta:
        indexes = [models.Index(fields=["person", "purpose", "-id"], name="consent_of_person")]
