import base64
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import path
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.core import clock
from backend.core.errors import Forbidden, NotAuthenticated
from backend.core.events import Actor
from backend.core.idempotency import idempotent
from backend.core.ids import TypeIdField, to_typeid, typed
from backend.parties import selectors, services
from backend.parties.auth import PHONE_ASSURANCE, actor
from backend.parties.handsets import HANDSETS
from backend.parties.models import (
    Consent,
    Device,
    Language,
    LoginRecord,
    Member,
    Organisation,
    OrganisationKind,
    Person,
    Platform,
    SignInResult,
    Verification,
)
from backend.parties.origins import origin_of
from backend.parties.texts import CONSENT_TEXTS, ConsentText

# --- what is asked ---------------------------------------------------------------------------------------------------


class DeviceClaimSerializer(serializers.Serializer[Any]):
    public_key = serializers.CharField(
        max_length=64, help_text="Ed25519 public key: 32 bytes, base64url without padding"
    )
    proof = serializers.CharField(
        max_length=128, help_text="Ed25519 signature over “yirong/session/v1” LF code, base64url"
    )
    model = serializers.CharField(max_length=64, allow_blank=True, default="")
    system = serializers.CharField(max_length=64, allow_blank=True, default="")
    platform = serializers.ChoiceField(choices=Platform.choices)
    sdk_version = serializers.CharField(max_length=32, allow_blank=True, default="")


class SignInSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=128, help_text="What wx.login gave: single use, five minutes")
    device = DeviceClaimSerializer()
    network_type = serializers.CharField(max_length=16, allow_blank=True, default="")
    member = TypeIdField("mem", required=False, allow_null=True, default=None)
    language = serializers.ChoiceField(choices=Language.choices, default=Language.ZH_HANS)
    invitation = serializers.CharField(
        max_length=32, allow_blank=True, default="", help_text="A code that makes whoever signs in a member first"
    )
    handset = serializers.CharField(max_length=32, allow_blank=True, default="", help_text="Demonstration only")


class ConsentAnswerSerializer(serializers.Serializer[Any]):
    purpose = serializers.ChoiceField(choices=[(purpose, purpose) for purpose in CONSENT_TEXTS])
    text_id = serializers.CharField(max_length=64)
    text_version = serializers.CharField(max_length=16)
    given = serializers.BooleanField()


# --- what is answered: the shapes, for the schema --------------------------------------------------------------------


class PersonSerializer(serializers.Serializer[Any]):
    id = TypeIdField("per")
    name = serializers.CharField()
    name_en = serializers.CharField()


class OrganisationSerializer(serializers.Serializer[Any]):
    id = TypeIdField("org")
    uscc = serializers.CharField()
    name = serializers.CharField()
    name_en = serializers.CharField()
    kind = serializers.ChoiceField(choices=OrganisationKind.choices)
    verification = serializers.ChoiceField(choices=Verification.choices)


class MemberSerializer(serializers.Serializer[Any]):
    id = TypeIdField("mem")
    roles = serializers.ListField(child=serializers.CharField())


class MembershipSerializer(MemberSerializer):
    organisation = OrganisationSerializer()


class OwnDeviceSerializer(serializers.Serializer[Any]):
    id = TypeIdField("dev")
    public_key = serializers.CharField()
    assurance = serializers.CharField()


class WordsSerializer(serializers.Serializer[Any]):
    zh = serializers.CharField()
    en = serializers.CharField()


class SessionSerializer(serializers.Serializer[Any]):
    person = PersonSerializer()
    member = MemberSerializer(allow_null=True)
    organisation = OrganisationSerializer(allow_null=True)
    members = MembershipSerializer(many=True)
    device = OwnDeviceSerializer(allow_null=True)
    origin = serializers.CharField(help_text="The supply chain's log: what is signed on a phone names it")
    server_time = serializers.DateTimeField()
    demonstration = serializers.BooleanField()
    handset = serializers.DictField(allow_null=True)


class OpenedSessionSerializer(serializers.Serializer[Any]):
    token = serializers.CharField()
    expires_at = serializers.DateTimeField()
    session = SessionSerializer()


class ConsentSerializer(serializers.Serializer[Any]):
    id = TypeIdField("ltx", allow_null=True)
    purpose = serializers.CharField()
    text_id = serializers.CharField()
    text_version = serializers.CharField()
    text_sha256 = serializers.CharField()
    text = WordsSerializer()
    given = serializers.BooleanField(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)


class ConsentListSerializer(serializers.Serializer[Any]):
    results = ConsentSerializer(many=True)


class LoginDeviceSerializer(serializers.Serializer[Any]):
    id = TypeIdField("dev")
    model = serializers.CharField()


class LoginSerializer(serializers.Serializer[Any]):
    """What one try to sign in left on record."""

    id = serializers.CharField()
    time = serializers.DateTimeField()
    channel = serializers.CharField()
    result = serializers.ChoiceField(choices=SignInResult.choices)
    failure_code = serializers.CharField()
    organisation = OrganisationSerializer(allow_null=True)
    device = LoginDeviceSerializer(allow_null=True)
    model = serializers.CharField()
    system = serializers.CharField()
    platform = serializers.CharField()
    sdk_version = serializers.CharField()
    ip = serializers.CharField(allow_null=True)
    network_type = serializers.CharField()
    simulated = serializers.BooleanField()
    handset = serializers.CharField()
    event = TypeIdField("evt", allow_null=True)

    def to_representation(self, instance: LoginRecord) -> dict[str, Any]:
        organisation = instance.member.organisation if instance.member else None
        return {
            "id": to_typeid("lgn", instance.id),
            "time": clock.rfc3339(instance.time),
            "channel": instance.channel,
            "result": instance.result,
            "failure_code": instance.failure_code,
            "organisation": organisation and organisation_json(organisation),
            "device": instance.device and {"id": typed("device", instance.device.id), "model": instance.device.model},
            "model": instance.model,
            "system": instance.system,
            "platform": instance.platform,
            "sdk_version": instance.sdk_version,
            "ip": instance.ip,
            "network_type": instance.network_type,
            "simulated": instance.simulated,
            "handset": instance.handset,
            "event": instance.event and typed("event", instance.event),
        }


# --- rendering -------------------------------------------------------------------------------------------------------


def organisation_json(organisation: Organisation) -> dict[str, Any]:
    """An organisation as every answer shows it."""
    return {
        "id": typed("organisation", organisation.id),
        "uscc": organisation.uscc,
        "name": organisation.name,
        "name_en": organisation.name_en,
        "kind": organisation.kind,
        "verification": organisation.verification,
    }


def _member_json(member: Member) -> dict[str, Any]:
    return {"id": typed("member", member.id), "roles": member.roles}


def _device_json(device: Device) -> dict[str, Any]:
    key = base64.urlsafe_b64encode(bytes(device.public_key)).rstrip(b"=").decode()
    return {"id": typed("device", device.id), "public_key": key, "assurance": PHONE_ASSURANCE}


def _session_json(person: Person, member: Member | None, device: Device | None, handset: str) -> dict[str, Any]:
    members = selectors.active_members(person)
    played = HANDSETS.get(handset) if settings.DEMO else None
    return {
        "person": {"id": typed("person", person.id), "name": person.name, "name_en": person.name_en},
        "member": member and _member_json(member),
        "organisation": member and organisation_json(member.organisation),
        "members": [{**_member_json(one), "organisation": organisation_json(one.organisation)} for one in members],
        "device": device and _device_json(device),
        "origin": selectors.supply_origin(),
        "server_time": clock.rfc3339(clock.now()),
        "demonstration": settings.DEMO,
        "handset": played and played.as_json(),
    }


def _consent_json(text: ConsentText, answer: Consent | None) -> dict[str, Any]:
    return {
        "id": answer and typed("consent", answer.id),
        "purpose": text.purpose,
        "text_id": text.id,
        "text_version": text.version,
        "text_sha256": text.sha256,
        "text": {"zh": text.zh, "en": text.en},
        "given": answer and answer.given,
        "at": answer and clock.rfc3339(answer.at),
    }


def _own_person(by: Actor) -> Person:
    if by.person is None:
        raise NotAuthenticated()
    return Person.objects.get(id=by.person)


# --- views -----------------------------------------------------------------------------------------------------------


class SessionView(APIView):
    def get_authenticators(self) -> list[Any]:
        # whoever signs in again brings an old token at times: it must not stand in the way
        return [] if self.request and self.request.method == "POST" else super().get_authenticators()

    def get_permissions(self) -> Any:
        return [] if self.request and self.request.method == "POST" else super().get_permissions()

    @extend_schema(operation_id="sign_in", auth=[], request=SignInSerializer, responses={201: OpenedSessionSerializer})
    def post(self, request: Request) -> Response:
        """Signs in with WeChat's code on a device that proves to hold its key; registers a new device. 429 after five failures."""
        asked = SignInSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        body = asked.validated_data
        signed_in = services.sign_in(
            code=body["code"],
            device=services.DeviceClaim(**body["device"]),
            member=body["member"],
            language=body["language"],
            invitation=body["invitation"],
            origin=origin_of(request, handset=body["handset"], network_type=body["network_type"]),
        )
        session = signed_in.session
        answer = {
            "token": signed_in.token,
            "expires_at": clock.rfc3339(session.expiry),
            "session": _session_json(session.user, session.member, session.device, session.handset),
        }
        return Response(answer, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})

    @extend_schema(operation_id="read_session", responses=SessionSerializer)
    def get(self, request: Request) -> Response:
        """Who is signed in: the person, the member acted as, the device, and the server's clock."""
        by = actor(request)
        member = Member.objects.select_related("organisation").get(id=by.member) if by.member else None
        device = Device.objects.get(id=by.device) if by.device else None
        return Response(_session_json(_own_person(by), member, device, by.handset))

    @extend_schema(operation_id="sign_out", request=None, responses={204: OpenApiResponse(description="Signed out")})
    def delete(self, request: Request) -> Response:
        """Ends this session: its token and its open sockets are of no more use."""
        by = actor(request)
        if by.session is None:
            raise Forbidden("A console session ends at the console.")
        services.end_session(by=by, session_id=UUID(by.session))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ConsentsView(APIView):
    @extend_schema(operation_id="list_consents", responses=ConsentListSerializer)
    def get(self, request: Request) -> Response:
        """Each purpose that needs consent: its present text, and the caller's answer (`given` is null where there is none)."""
        answers = selectors.consents_of(_own_person(actor(request)))
        return Response({"results": [_consent_json(text, answer) for text, answer in answers]})

    @extend_schema(operation_id="answer_consent", request=ConsentAnswerSerializer, responses={201: ConsentSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Gives consent under the present text, or withholds or withdraws it."""
        asked = ConsentAnswerSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        consent = services.record_consent(by=actor(request), **asked.validated_data)
        return Response(_consent_json(CONSENT_TEXTS[consent.purpose], consent), status=status.HTTP_201_CREATED)


@extend_schema_view(get=extend_schema(operation_id="list_logins"))
class LoginsView(ListAPIView):
    """What is recorded about the caller's own tries to sign in, the newest first."""

    serializer_class = LoginSerializer
    queryset = LoginRecord.objects.none()

    def get_queryset(self) -> Any:
        return selectors.logins_of(self.request.user) if isinstance(self.request.user, Person) else self.queryset


urlpatterns = [
    path("session/", SessionView.as_view(), name="session"),
    path("consents/", ConsentsView.as_view(), name="consents"),
    path("logins/", LoginsView.as_view(), name="logins"),
]
