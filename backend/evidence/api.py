import hashlib
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.http import HttpResponse
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.core import clock
from backend.core.errors import Malformed
from backend.core.idempotency import idempotent
from backend.core.ids import PREFIXES, TypeIdField, from_typeid, typed
from backend.core.schema import AnchorAnswer
from backend.evidence import selectors, services, subjects, vault
from backend.evidence.models import Mime, Source, StoredFile, Upload, VoucherKind
from backend.parties.auth import actor

PRIVATE = "private, no-store"


class NewUpload(serializers.Serializer[Any]):
    sha256 = serializers.RegexField(r"^[0-9a-f]{64}$")
    size = serializers.IntegerField(max_value=2**53)
    filename = serializers.CharField(max_length=400)
    mime = serializers.CharField(max_length=64, help_text=", ".join(Mime.values))
    source = serializers.ChoiceField(Source.choices)  # type: ignore[assignment] # a declared field is no attribute of the class
    captured_at = serializers.DateTimeField(required=False, allow_null=True)


class UploadAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    offset = serializers.IntegerField(help_text="where the next part begins")
    size = serializers.IntegerField()
    chunk_size = serializers.IntegerField(help_text="the most bytes of one part")
    state = serializers.ChoiceField(Upload.State.choices)
    failure = serializers.CharField(allow_blank=True, help_text="the code of the error that ended a FAILED upload")


class NewVoucher(serializers.Serializer[Any]):
    upload = TypeIdField("upl")
    kind = serializers.ChoiceField(VoucherKind.choices)
    subject = serializers.CharField(max_length=64, help_text="ord_, dsp_ or rcp_")


class VoucherOrganisation(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    name_en = serializers.CharField()


class VoucherAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    kind = serializers.ChoiceField(VoucherKind.choices)
    subject = serializers.CharField()
    filename = serializers.CharField()
    mime = serializers.ChoiceField(Mime.choices)
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    source = serializers.ChoiceField(Source.choices)  # type: ignore[assignment] # a declared field is no attribute of the class
    created_at = serializers.DateTimeField()
    organisation = VoucherOrganisation()
    view_url = serializers.CharField()
    content_url = serializers.CharField(
        allow_null=True, help_text="null: the original tells where it was taken, and is for the side that attached it"
    )
    anchor = AnchorAnswer()


class VouchersAnswer(serializers.Serializer[Any]):
    results = VoucherAnswer(many=True)


class EventAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    type = serializers.CharField()
    time = serializers.DateTimeField()
    anchor = AnchorAnswer()
    leaf_sha256 = serializers.CharField(allow_null=True)


class PartParser(BaseParser):
    """The raw bytes of a part as {"part": bytes}; one more than is taken is enough to know that it is too long."""

    media_type = "application/octet-stream"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, bytes]:
        return {"part": stream.read(services.CHUNK_BYTES + 1)}


def _upload(upload: Upload) -> dict[str, Any]:
    return {
        "id": typed("upload", upload.id),
        "offset": upload.received,
        "size": upload.size,
        "chunk_size": services.CHUNK_BYTES,
        "state": upload.state,
        "failure": upload.failure,
    }


class Uploads(APIView):
    """Files on their way in."""

    @extend_schema(operation_id="uploads_open", request=NewUpload, responses={201: UploadAnswer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Announces a file by digest, size and type. Its parts follow."""
        announced = NewUpload(data=request.data)
        announced.is_valid(raise_exception=True)
        upload = services.open_upload(by=actor(request), **announced.validated_data)
        return Response(_upload(upload), status=201)


class UploadDetail(APIView):
    @extend_schema(operation_id="uploads_read", responses=UploadAnswer)
    def get(self, request: Request, upload_id: str) -> Response:
        """How much of it has arrived: where to go on after a break."""
        return Response(_upload(selectors.own_upload(actor(request), from_typeid(PREFIXES["upload"], upload_id))))


class UploadPart(APIView):
    parser_classes = [PartParser]

    @extend_schema(
        operation_id="uploads_send_part",
        request={"application/octet-stream": OpenApiTypes.BINARY},
        parameters=[OpenApiParameter("offset", OpenApiTypes.INT, OpenApiParameter.PATH)],
        responses=UploadAnswer,
    )
    def put(self, request: Request, upload_id: str, offset: int) -> Response:
        """The next part. With the last one the file is compared with what was announced, opened, and kept."""
        data = request.data.get("part", b"") if isinstance(request.data, dict) else b""  # no body: nothing was parsed
        upload = services.receive_part(
            by=actor(request), upload_id=from_typeid(PREFIXES["upload"], upload_id), offset=offset, data=data
        )
        return Response(_upload(upload))


class Vouchers(APIView):
    """Files attached to the documents of the trade."""

    @extend_schema(
        operation_id="vouchers_list",
        parameters=[OpenApiParameter("subject", required=True, description="ord_, dsp_ or rcp_")],
        responses=VouchersAnswer,
    )
    def get(self, request: Request) -> Response:
        """The vouchers of one document, oldest first."""
        asked = request.query_params.get("subject", "")
        if not asked:
            raise Malformed("Name the document: ?subject=ord_...", field="subject")
        by = actor(request)
        subject = subjects.find(by, asked)
        return Response({"results": selectors.voucher_cards(subject.type, [subject.id], subject.unseen, by=by)})

    @extend_schema(operation_id="vouchers_attach", request=NewVoucher, responses={201: VoucherAnswer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Attaches a file that has arrived."""
        asked = NewVoucher(data=request.data)
        asked.is_valid(raise_exception=True)
        by = actor(request)
        subject = subjects.find(by, asked.validated_data["subject"])
        voucher = services.attach_voucher(
            by=by,
            upload_id=asked.validated_data["upload"],
            kind=asked.validated_data["kind"],
            subject=(subject.type, subject.id),
        )
        return Response(selectors.render_vouchers([voucher], by)[0], status=201)


def _file(body: bytes, mime: str, disposition: str, filename: str) -> HttpResponse:
    """Bytes that somebody brought: never sniffed, never cached for others, never run as a page of this house."""
    ascii_name = "".join(
        character if character.isascii() and character not in '"\\%' else "_" for character in filename
    )
    headers = {
        "Content-Disposition": f"{disposition}; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(filename, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": PRIVATE,
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'self'",
    }
    return HttpResponse(body, content_type=mime, headers=headers)


class VoucherDetail(APIView):
    @extend_schema(operation_id="vouchers_read", responses=VoucherAnswer)
    def get(self, request: Request, voucher_id: str) -> Response:
        """One voucher."""
        by = actor(request)
        voucher = selectors.voucher_for(by, from_typeid(PREFIXES["voucher"], voucher_id))
        return Response(selectors.render_vouchers([voucher], by)[0])


_BINARY = {(200, mime): OpenApiResponse(OpenApiTypes.BINARY) for mime in Mime.values}


class VoucherContent(APIView):
    @extend_schema(operation_id="vouchers_content", responses=_BINARY)
    def get(self, request: Request, voucher_id: str) -> HttpResponse:
        """The file as it was brought, byte for byte, as a download; not the other side's when it tells where it was taken."""
        voucher, data = selectors.original_for(actor(request), from_typeid(PREFIXES["voucher"], voucher_id))
        return _file(data, voucher.file.mime, "attachment", voucher.filename)


class VoucherView(APIView):
    @extend_schema(operation_id="vouchers_view", responses=_BINARY)
    def get(self, request: Request, voucher_id: str) -> HttpResponse:
        """A picture to look at: upright, at most 2,000 pixels a side, without the original's metadata; a PDF as it is."""
        voucher = selectors.voucher_for(actor(request), from_typeid(PREFIXES["voucher"], voucher_id))
        stored: StoredFile = voucher.file
        if stored.mime == Mime.PDF:
            return _file(vault.original(stored), stored.mime, "inline", voucher.filename)
        return _file(
            vault.view(stored), Mime.JPEG.value, "inline", f"{voucher.filename.rpartition('.')[0] or 'view'}.jpg"
        )


class EventDetail(APIView):
    @extend_schema(operation_id="events_read", responses=EventAnswer)
    def get(self, request: Request, event_id: str) -> Response:
        """An event that concerns the caller, and where it stands in the ledger."""
        event = selectors.event_for(actor(request), from_typeid(PREFIXES["event"], event_id))
        identity: UUID = event.id
        return Response(
            {
                "id": typed("event", identity),
                "type": event.type,
                "time": clock.rfc3339(event.time),
                "anchor": selectors.anchors([identity])[identity],
                "leaf_sha256": None if event.leaf is None else hashlib.sha256(bytes(event.leaf)).hexdigest(),
            }
        )


urlpatterns = [
    path("uploads/", Uploads.as_view(), name="uploads"),
    path("uploads/<str:upload_id>/", UploadDetail.as_view(), name="upload"),
    path("uploads/<str:upload_id>/parts/<int:offset>", UploadPart.as_view(), name="upload-part"),
    path("vouchers/", Vouchers.as_view(), name="vouchers"),
    path("vouchers/<str:voucher_id>/", VoucherDetail.as_view(), name="voucher"),
    path("vouchers/<str:voucher_id>/content", VoucherContent.as_view(), name="voucher-content"),
    path("vouchers/<str:voucher_id>/view", VoucherView.as_view(), name="voucher-view"),
    path("events/<str:event_id>/", EventDetail.as_view(), name="event"),
]
