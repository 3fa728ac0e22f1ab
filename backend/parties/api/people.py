"""Organisations, members, invitations, delegations and handsets: each list scoped to who asks, each change an action of its own."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.core import clock
from backend.core.errors import Forbidden, NotFound
from backend.core.idempotency import idempotent
from backend.core.ids import PREFIXES, TypeIdField, from_typeid, typed
from backend.core.money import money_text
from backend.core.paging import CursorPage
from backend.parties import selectors, services
from backend.parties.api.session import OrganisationSerializer, PersonSerializer, organisation_json
from backend.parties.auth import actor
from backend.parties.models import (
    DelegatedDocument,
    Delegation,
    Device,
    Invitation,
    Member,
    Organisation,
    OrganisationKind,
    OrganisationVerification,
    Role,
    VerificationMethod,
)

PAGED = [OpenApiParameter("cursor"), OpenApiParameter("limit", int)]
METHODS = [choice for choice in VerificationMethod.choices if choice[0] != VerificationMethod.DEMONSTRATION]

# --- what is asked ---------------------------------------------------------------------------------------------------


class NewOrganisationSerializer(serializers.Serializer[Any]):
    uscc = serializers.CharField(
        max_length=32, help_text="Unified social credit code, GB 32100: the check digit counts"
    )
    name = serializers.CharField(max_length=128)
    name_en = serializers.CharField(max_length=128, allow_blank=True, default="")
    kind = serializers.ChoiceField(choices=OrganisationKind.choices)


class VerifySerializer(serializers.Serializer[Any]):
    method = serializers.ChoiceField(choices=METHODS)
    reference = serializers.CharField(max_length=120, allow_blank=True, default="", help_text="Where the proof lies")


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


class RolesSerializer(serializers.Serializer[Any]):
    roles = serializers.ListField(child=serializers.ChoiceField(choices=Role.choices), min_length=1, max_length=7)


class NewInvitationSerializer(RolesSerializer):
    name = serializers.CharField(max_length=64)
    name_en = serializers.CharField(max_length=64, allow_blank=True, default="")
    organisation = TypeIdField(
        "org", required=False, allow_null=True, default=None, help_text="The operator's: whose first administrator"
    )


class LimitAskedSerializer(serializers.Serializer[Any]):
    amount = serializers.RegexField(r"^[0-9]{1,13}\.[0-9]{2}$")
    currency = serializers.RegexField(r"^[A-Z]{3}$", default="CNY")


class NewDelegationSerializer(serializers.Serializer[Any]):
    to_member = TypeIdField("mem")
    doc_types = serializers.ListField(
        child=serializers.ChoiceField(choices=DelegatedDocument.choices), min_length=1, max_length=6
    )
    max_amount = LimitAskedSerializer()
    valid_from = serializers.DateTimeField()
    valid_to = serializers.DateTimeField()


# --- what is answered ------------------------------------------------------------------------------------------------


class ColleagueSerializer(serializers.Serializer[Any]):
    id = TypeIdField("mem")
    name = serializers.CharField()
    name_en = serializers.CharField()
    organisation = TypeIdField("org")


class VerificationSerializer(serializers.Serializer[Any]):
    method = serializers.ChoiceField(choices=VerificationMethod.choices)
    verified_by = TypeIdField("org", allow_null=True, help_text="The operator; null: the server's own command")
    verified_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()


class OrganisationFullSerializer(OrganisationSerializer):
    verifications = VerificationSerializer(many=True)


class MemberFullSerializer(serializers.Serializer[Any]):
    id = TypeIdField("mem")
    person = PersonSerializer()
    organisation = TypeIdField("org")
    roles = serializers.ListField(child=serializers.CharField())
    active = serializers.BooleanField()
    enrolled_by = ColleagueSerializer(allow_null=True)
    enrolled_at = serializers.DateTimeField()


class InvitationSerializer(serializers.Serializer[Any]):
    id = TypeIdField("ivt")
    organisation = TypeIdField("org")
    name = serializers.CharField()
    name_en = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField())
    state = serializers.ChoiceField(choices=["open", "accepted", "withdrawn", "guessed", "expired"])
    issued_by = ColleagueSerializer(allow_null=True)
    issued_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    member = TypeIdField("mem", allow_null=True)


class IssuedInvitationSerializer(InvitationSerializer):
    code = serializers.CharField(allow_null=True, help_text="Told once; null when the same request is repeated")


class LimitSerializer(serializers.Serializer[Any]):
    amount = serializers.CharField()
    currency = serializers.CharField()


class DelegationSerializer(serializers.Serializer[Any]):
    id = TypeIdField("dlg")
    from_member = ColleagueSerializer()
    to_member = ColleagueSerializer()
    doc_types = serializers.ListField(child=serializers.CharField())
    max_amount = LimitSerializer()
    valid_from = serializers.DateTimeField()
    valid_to = serializers.DateTimeField()
    granted_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    state = serializers.ChoiceField(choices=["holds", "later", "over", "revoked"])


class DeviceSerializer(serializers.Serializer[Any]):
    id = TypeIdField("dev")
    model = serializers.CharField()
    system = serializers.CharField()
    platform = serializers.CharField()
    registered_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    here = serializers.BooleanField(help_text="The handset that asks")
    revocable = serializers.BooleanField(help_text="Whether the caller may revoke it: whoever only borrowed it may not")


def _page_of(answer: type[serializers.Serializer[Any]]) -> type[serializers.Serializer[Any]]:
    """A page of a list, for the schema."""
    members = {
        "next": serializers.CharField(allow_null=True),
        "previous": serializers.CharField(allow_null=True),
        "results": answer(many=True),
    }
    return type(f"{answer.__name__.removesuffix('Serializer')}Page", (serializers.Serializer,), members)


# --- rendering -------------------------------------------------------------------------------------------------------


def _time(moment: Any) -> str | None:
    return moment and clock.rfc3339(moment)


def _colleague(member: Member | None) -> dict[str, Any] | None:
    if member is None:
        return None
    person = member.person
    organisation = typed("organisation", member.organisation_id)
    return {
        "id": typed("member", member.id),
        "name": person.name,
        "name_en": person.name_en,
        "organisation": organisation,
    }


def _verification(row: OrganisationVerification) -> dict[str, Any]:
    by = row.verified_by
    return {
        "method": row.method,
        "verified_by": by and typed("organisation", by.organisation_id),
        "verified_at": _time(row.verified_at),
        "revoked_at": _time(row.revoked_at),
        "reason": row.reason,
    }


def _organisation(row: Organisation) -> dict[str, Any]:
    verifications = sorted(row.verifications.all(), key=lambda one: one.id, reverse=True)
    return organisation_json(row) | {"verifications": [_verification(one) for one in verifications]}


def _member(row: Member) -> dict[str, Any]:
    person = row.person
    return {
        "id": typed("member", row.id),
        "person": {"id": typed("person", person.id), "name": person.name, "name_en": person.name_en},
        "organisation": typed("organisation", row.organisation_id),
        "roles": row.roles,
        "active": row.active,
        "enrolled_by": _colleague(row.enrolled_by),
        "enrolled_at": _time(row.enrolled_at),
    }


def _invitation(row: Invitation) -> dict[str, Any]:
    return {
        "id": typed("invitation", row.id),
        "organisation": typed("organisation", row.organisation_id),
        "name": row.name,
        "name_en": row.name_en,
        "roles": row.roles,
        "state": row.state,
        "issued_by": _colleague(row.issued_by),
        "issued_at": _time(row.issued_at),
        "expires_at": _time(row.expires_at),
        "member": row.member_id and typed("member", row.member_id),
    }


def _delegation(row: Delegation) -> dict[str, Any]:
    return {
        "id": typed("delegation", row.id),
        "from_member": _colleague(row.from_member),
        "to_member": _colleague(row.to_member),
        "doc_types": row.doc_types,
        "max_amount": {"amount": money_text(row.max_amount_fen), "currency": row.currency},
        "valid_from": _time(row.valid_from),
        "valid_to": _time(row.valid_to),
        "granted_at": _time(row.granted_at),
        "revoked_at": _time(row.revoked_at),
        "state": row.state,
    }


def _device(row: Device, request: Request) -> dict[str, Any]:
    by = actor(request)
    return {
        "id": typed("device", row.id),
        "model": row.model,
        "system": row.system,
        "platform": row.platform,
        "registered_at": _time(row.registered_at),
        "revoked_at": _time(row.revoked_at),
        "here": row.id == by.device,
        "revocable": row.revoked_at is None and selectors.may_revoke_device(by, row),
    }


def _listed(view: APIView, request: Request, rows: Any, render: Any) -> Response:
    pages = CursorPage()
    page: list[Any] | None = pages.paginate_queryset(rows, request, view)
    return pages.get_paginated_response([render(row) for row in page or ()])


def _asked(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    asked = serializer(data=request.data)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


def _id(kind: str, text: str) -> UUID:
    return from_typeid(PREFIXES[kind], text)


# --- views -----------------------------------------------------------------------------------------------------------


class Organisations(APIView):
    @extend_schema(operation_id="organisations_list", parameters=PAGED, responses=_page_of(OrganisationFullSerializer))
    def get(self, request: Request) -> Response:
        """The caller's own organisation, with how it was verified; all of them for the operator's administrators."""
        return _listed(self, request, selectors.organisations(actor(request)), _organisation)

    @extend_schema(
        operation_id="organisations_create",
        request=NewOrganisationSerializer,
        responses={201: OrganisationFullSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """The operator adds an organisation, CLAIMED. Its first administrator is invited by the operator too."""
        row = services.create_organisation(by=actor(request), **_asked(NewOrganisationSerializer, request))
        return Response(_organisation(row), status=status.HTTP_201_CREATED)


def _operated(request: Request, text: str) -> Organisation:
    """The organisation that the operator decides about. NotFound for a stranger, Forbidden for its own members."""
    row = selectors.organisations(actor(request)).filter(id=_id("organisation", text)).first()
    if row is None:
        raise NotFound()
    if not selectors.operates(actor(request)):
        raise Forbidden()
    return row


class OrganisationVerified(APIView):
    @extend_schema(
        operation_id="organisations_verify", request=VerifySerializer, responses={201: OrganisationFullSerializer}
    )
    @idempotent
    def post(self, request: Request, organisation: str) -> Response:
        """The operator records that the organisation is who it claims to be, and how that was found."""
        row = _operated(request, organisation)
        services.verify_organisation(by=actor(request), organisation=row, **_asked(VerifySerializer, request))
        return _again(request, row)


class OrganisationUnverified(APIView):
    @extend_schema(
        operation_id="organisations_unverify", request=ReasonSerializer, responses={201: OrganisationFullSerializer}
    )
    @idempotent
    def post(self, request: Request, organisation: str) -> Response:
        """The operator takes the verification back, with a reason: the organisation is CLAIMED from now on."""
        row = _operated(request, organisation)
        services.unverify_organisation(by=actor(request), organisation=row, **_asked(ReasonSerializer, request))
        return _again(request, row)


def _again(request: Request, row: Organisation) -> Response:
    fresh = selectors.organisations(actor(request)).get(id=row.id)
    return Response(_organisation(fresh), status=status.HTTP_201_CREATED)


class Members(APIView):
    @extend_schema(operation_id="members_list", parameters=PAGED, responses=_page_of(MemberFullSerializer))
    def get(self, request: Request) -> Response:
        """An administrator's members, former ones too, each with who enrolled them. Nobody for others."""
        return _listed(self, request, selectors.members(actor(request)), _member)


class MemberRoles(APIView):
    @extend_schema(operation_id="members_roles", request=RolesSerializer, responses={201: MemberFullSerializer})
    @idempotent
    def post(self, request: Request, member: str) -> Response:
        """An administrator gives a member these roles instead of the present ones."""
        row = selectors.member_by_id(actor(request), _id("member", member))
        services.change_roles(by=actor(request), member_id=row.id, **_asked(RolesSerializer, request))
        return Response(_member(selectors.member_by_id(actor(request), row.id)), status=status.HTTP_201_CREATED)


class MemberRevocation(APIView):
    @extend_schema(operation_id="members_revoke", request=None, responses={201: MemberFullSerializer})
    @idempotent
    def post(self, request: Request, member: str) -> Response:
        """An administrator ends a membership at once, open sockets included."""
        row = selectors.member_by_id(actor(request), _id("member", member))
        services.revoke_member(by=actor(request), member_id=row.id)
        row.active = False
        return Response(_member(row), status=status.HTTP_201_CREATED)


class Invitations(APIView):
    @extend_schema(operation_id="invitations_list", parameters=PAGED, responses=_page_of(InvitationSerializer))
    def get(self, request: Request) -> Response:
        """The invitations of the organisation that the caller administers. No code is in it."""
        return _listed(self, request, selectors.invitations(actor(request)), _invitation)

    @extend_schema(
        operation_id="invitations_issue",
        request=NewInvitationSerializer,
        responses={201: IssuedInvitationSerializer},
    )
    @idempotent(told_once=("code",))
    def post(self, request: Request) -> Response:
        """Invites somebody. The answer carries the code, this once."""
        invited = services.invite(by=actor(request), **_asked(NewInvitationSerializer, request))
        body = _invitation(invited.invitation) | {"code": invited.code}
        return Response(body, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})


class InvitationWithdrawal(APIView):
    @extend_schema(operation_id="invitations_withdraw", request=None, responses={201: InvitationSerializer})
    @idempotent
    def post(self, request: Request, invitation: str) -> Response:
        """Takes an invitation back: its code works no more."""
        row = selectors.invitations(actor(request)).filter(id=_id("invitation", invitation)).first()
        if row is None:
            raise NotFound()
        services.withdraw_invitation(by=actor(request), invitation_id=row.id)
        row.refresh_from_db()
        return Response(_invitation(row), status=status.HTTP_201_CREATED)


class Delegations(APIView):
    @extend_schema(operation_id="delegations_list", parameters=PAGED, responses=_page_of(DelegationSerializer))
    def get(self, request: Request) -> Response:
        """The organisation's delegations for its signers and administrators; for others what they hold."""
        return _listed(self, request, selectors.delegations(actor(request)), _delegation)

    @extend_schema(
        operation_id="delegations_grant", request=NewDelegationSerializer, responses={201: DelegationSerializer}
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """A signer or an administrator lets a colleague sign within documents, an amount and a time."""
        asked = _asked(NewDelegationSerializer, request)
        money = asked.pop("max_amount")
        row = services.grant_delegation(
            by=actor(request),
            max_amount_fen=int(Decimal(money["amount"]) * 100),
            currency=money["currency"],
            **asked,
        )
        return Response(_delegation(row), status=status.HTTP_201_CREATED)


class DelegationRevocation(APIView):
    @extend_schema(operation_id="delegations_revoke", request=None, responses={201: DelegationSerializer})
    @idempotent
    def post(self, request: Request, delegation: str) -> Response:
        """Ends a delegation at once."""
        row = selectors.delegations(actor(request)).filter(id=_id("delegation", delegation)).first()
        if row is None:
            raise NotFound()
        revoked = services.revoke_delegation(by=actor(request), delegation_id=row.id)
        return Response(_delegation(revoked), status=status.HTTP_201_CREATED)


class Devices(APIView):
    @extend_schema(
        operation_id="devices_list",
        parameters=[*PAGED, OpenApiParameter("member", description="An administrator's: whose handsets")],
        responses=_page_of(DeviceSerializer),
    )
    def get(self, request: Request) -> Response:
        """The caller's own handsets; with `member`, those of a member whom the caller administers."""
        by, member = actor(request), request.query_params.get("member")
        rows = selectors.devices_of_member(by, _id("member", member)) if member else selectors.devices(by)
        return _listed(self, request, rows, lambda row: _device(row, request))


class DeviceRevocation(APIView):
    @extend_schema(operation_id="devices_revoke", request=None, responses={201: DeviceSerializer})
    @idempotent
    def post(self, request: Request, device: str) -> Response:
        """Revokes a handset: its sessions end, its signatures are taken no more, those that wait on it included."""
        device_id = _id("device", device)
        services.revoke_device(by=actor(request), device_id=device_id)
        row = Device.objects.select_related("registered_by").get(id=device_id)
        return Response(_device(row, request), status=status.HTTP_201_CREATED)


urlpatterns = [
    path("organisations/", Organisations.as_view(), name="organisations"),
    path("organisations/<str:organisation>/verification", OrganisationVerified.as_view(), name="verification"),
    path(
        "organisations/<str:organisation>/verification/revocation",
        OrganisationUnverified.as_view(),
        name="verification-revocation",
    ),
    path("members/", Members.as_view(), name="members"),
    path("members/<str:member>/roles", MemberRoles.as_view(), name="member-roles"),
    path("members/<str:member>/revocation", MemberRevocation.as_view(), name="member-revocation"),
    path("invitations/", Invitations.as_view(), name="invitations"),
    path("invitations/<str:invitation>/withdrawal", InvitationWithdrawal.as_view(), name="invitation-withdrawal"),
    path("delegations/", Delegations.as_view(), name="delegations"),
    path("delegations/<str:delegation>/revocation", DelegationRevocation.as_view(), name="delegation-revocation"),
    path("devices/", Devices.as_view(), name="devices"),
    path("devices/<str:device>/revocation", DeviceRevocation.as_view(), name="device-revocation"),
]
