"""The admin site shows and changes nothing; signing in to it goes through the console's own page, where tries are counted."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from backend.parties.models import (
    Consent,
    Delegation,
    Device,
    Invitation,
    LoginRecord,
    Member,
    Organisation,
    OrganisationVerification,
    Person,
    RefusalWindow,
    Session,
    Site,
)


class ReadOnly(admin.ModelAdmin):
    """Rows are made and changed by services alone, each with its event."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Person)
class PersonAdmin(ReadOnly):
    list_display = ["name", "name_en", "username", "is_active", "is_staff"]
    fields = ["id", "name", "name_en", "username", "language", "is_active", "is_staff", "created_at"]
    search_fields = ["name", "name_en", "username"]


@admin.register(Organisation)
class OrganisationAdmin(ReadOnly):
    list_display = ["name", "uscc", "kind", "verification"]
    search_fields = ["name", "name_en", "uscc"]


@admin.register(Site)
class SiteAdmin(ReadOnly):
    list_display = ["name", "organisation", "latitude", "longitude", "radius_m"]


@admin.register(Member)
class MemberAdmin(ReadOnly):
    list_display = ["person", "organisation", "roles", "active"]


@admin.register(OrganisationVerification)
class OrganisationVerificationAdmin(ReadOnly):
    list_display = ["organisation", "method", "verified_by", "verified_at", "revoked_at"]


@admin.register(Invitation)
class InvitationAdmin(ReadOnly):
    list_display = ["organisation", "name", "roles", "issued_by", "expires_at", "accepted_at", "withdrawn_at", "tries"]
    exclude = ["locator", "code_digest"]


@admin.register(Delegation)
class DelegationAdmin(ReadOnly):
    list_display = ["from_member", "to_member", "doc_types", "max_amount_fen", "valid_from", "valid_to", "revoked_at"]


@admin.register(Device)
class DeviceAdmin(ReadOnly):
    list_display = ["id", "model", "system", "platform", "registered_at", "revoked_at"]
    exclude = ["public_key"]


@admin.register(Session)
class SessionAdmin(ReadOnly):
    list_display = ["id", "user", "member", "device", "created", "expiry", "revoked_at"]
    exclude = ["digest", "token_key"]


@admin.register(LoginRecord)
class LoginRecordAdmin(ReadOnly):
    list_display = ["time", "channel", "result", "failure_code", "person", "member", "simulated"]
    list_filter = ["result", "channel", "failure_code"]


@admin.register(RefusalWindow)
class RefusalWindowAdmin(ReadOnly):
    list_display = ["started_at", "source", "count", "event"]


@admin.register(Consent)
class ConsentAdmin(ReadOnly):
    list_display = ["at", "person", "purpose", "text_version", "given"]


def _sign_in_at_the_console(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    if request.user.is_authenticated:
        raise PermissionDenied
    return redirect_to_login(request.GET.get("next") or request.path)


admin.site.login = _sign_in_at_the_console  # type: ignore[method-assign] # its own page would not count tries
