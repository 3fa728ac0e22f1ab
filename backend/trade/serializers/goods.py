"""What the phone and partners send: strict, bounded, every field named in its error."""

from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

from rest_framework import serializers

from backend.core.ids import TypeIdField
from backend.evidence.models import VoucherKind
from backend.trade.models import FunderDisclosure, RejectReason
from backend.trade.services import LINES_LIMIT
from backend.trade.signing import SentFile, SignedAct, differences

PHOTOS_LIMIT = 20
DIGEST = r"^[0-9a-f]{64}$"
TIME = r"^[0-9]{4}-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]\.[0-9]{3}Z$"
QUANTITY = r"^(0|[1-9][0-9]{0,11})\.[0-9]{3}$"
DECIMAL = r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,13})?$"


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields it does not know: what is signed is compared as a whole."""

    default_error_messages = {"unknown": "There is no field of this name."}

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = data.keys() - self.fields.keys()
            if unknown:
                raise serializers.ValidationError(
                    {key: [self.error_messages["unknown"]] for key in sorted(unknown)[:20]}, "unknown"
                )
        return super().to_internal_value(data)


def many(child: type[StrictSerializer], **bounds: Any) -> serializers.ListSerializer[Any]:
    """A bounded list of objects of one form."""
    return serializers.ListSerializer(child=child(), **bounds)


class SignedTypeIdField(TypeIdField):
    """A TypeID that is kept as text, for it is signed as text."""

    def to_internal_value(self, data: object) -> Any:
        super().to_internal_value(data)
        return data

    def to_representation(self, value: Any) -> str:
        return str(value)


class TimeField(serializers.RegexField):
    """RFC 3339, UTC, milliseconds; kept as text, for it is signed as text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(TIME, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        serializers.DateTimeField().to_internal_value(text)
        return text


class MoneySerializer(StrictSerializer):
    amount = serializers.RegexField(r"^(0|[1-9][0-9]{0,14})\.[0-9]{2}$")
    currency = serializers.RegexField(r"^[A-Z]{3}$")


class DocumentRefSerializer(StrictSerializer):
    id = serializers.CharField(max_length=40)
    type = serializers.ChoiceField(["order", "despatch"])
    version = serializers.IntegerField(min_value=1)
    digest = serializers.RegexField(DIGEST)


class OrderKeySerializer(StrictSerializer):
    buyer_uscc = serializers.CharField(max_length=18)
    order_no = serializers.CharField(max_length=64)
    version = serializers.IntegerField(min_value=1)


class OrderCountSerializer(StrictSerializer):
    line_id = serializers.CharField(max_length=16)
    quantity = serializers.RegexField(QUANTITY)


class ReceiptCountSerializer(StrictSerializer):
    despatch_line = serializers.CharField(max_length=16)
    received_quantity = serializers.RegexField(QUANTITY)
    accepted_quantity = serializers.RegexField(QUANTITY)
    short_quantity = serializers.RegexField(QUANTITY)
    rejected_quantity = serializers.RegexField(QUANTITY)
    reject_reason = serializers.ChoiceField(RejectReason.choices, allow_blank=True)
    oversupply_quantity = serializers.RegexField(QUANTITY)


class SignedSerializer(StrictSerializer):
    """The object whose canonical JSON was signed."""

    action = serializers.CharField(max_length=32)
    origin = serializers.CharField(max_length=200)
    client_event_id = serializers.CharField(max_length=64)
    nonce = serializers.CharField(max_length=64)
    signer_member = serializers.CharField(max_length=40)
    signer_party = serializers.CharField(max_length=18)
    device_key_id = serializers.CharField(max_length=40)
    document = DocumentRefSerializer()
    order = OrderKeySerializer()
    counterparty = serializers.CharField(max_length=18)
    total = MoneySerializer()
    capture_digest = serializers.RegexField(DIGEST)
    captured_at = TimeField()
    language = serializers.CharField(max_length=16)
    text_id = serializers.CharField(max_length=32)
    text_version = serializers.IntegerField(min_value=1)


class SignedOrderSerializer(SignedSerializer):
    lines = many(OrderCountSerializer, allow_empty=False, max_length=LINES_LIMIT)


class SignedReceiptSerializer(SignedSerializer):
    lines = many(ReceiptCountSerializer, allow_empty=False, max_length=LINES_LIMIT)


class LocationSerializer(StrictSerializer):
    latitude = serializers.RegexField(r"^-?[0-9]{1,3}\.[0-9]{7}$")
    longitude = serializers.RegexField(r"^-?[0-9]{1,3}\.[0-9]{7}$")
    accuracy_m = serializers.IntegerField(min_value=0, max_value=1_000_000)
    datum = serializers.ChoiceField(["wgs84", "gcj02"])
    precision_class = serializers.ChoiceField(["precise", "fuzzy", "chosen"])
    age_s = serializers.IntegerField(min_value=-86_400_000, max_value=86_400_000)


class CaptureSerializer(StrictSerializer):
    """What the phone recorded at the act. Its digest is signed; it is kept encrypted and can be erased."""

    nonce = serializers.CharField(max_length=64)
    captured_at = TimeField()
    network_type = serializers.CharField(max_length=16, allow_blank=True)
    location = LocationSerializer(allow_null=True)
    location_refused = serializers.BooleanField()
    consent = SignedTypeIdField("ltx", allow_null=True)
    photos = serializers.ListField(child=serializers.RegexField(DIGEST), max_length=PHOTOS_LIMIT)
    drawing = serializers.RegexField(DIGEST, allow_null=True)
    opened_at = TimeField()
    handset = serializers.CharField(max_length=32, allow_blank=True)


class SentFileSerializer(StrictSerializer):
    upload = TypeIdField("upl")
    kind = serializers.ChoiceField(VoucherKind.choices)
    sha256 = serializers.RegexField(DIGEST)


class ActSerializer(StrictSerializer):
    """A capture without a signature: a milestone's."""

    capture = CaptureSerializer()


class SignedActSerializer(ActSerializer):
    uploads = many(SentFileSerializer, max_length=PHOTOS_LIMIT + 1, required=False, default=list)
    signature = serializers.CharField(max_length=100)


class SignedOrderActSerializer(SignedActSerializer):
    signed = SignedOrderSerializer()


class SignedReceiptActSerializer(SignedActSerializer):
    signed = SignedReceiptSerializer()


class MilestoneSerializer(ActSerializer):
    kind = serializers.ChoiceField(["PICKED_UP", "ARRIVED"])


class RejectionSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=500)


class FulfilsSerializer(StrictSerializer):
    order = TypeIdField("ord")
    line_id = serializers.CharField(max_length=16)


class NewLineSerializer(StrictSerializer):
    line_id = serializers.CharField(max_length=16)
    item_code = serializers.CharField(max_length=64, allow_blank=True, default="")
    item_name = serializers.CharField(max_length=200)
    quantity = serializers.RegexField(r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,3})?$")
    unit = serializers.RegexField(r"^[A-Z0-9]{2,3}$", help_text="UN/ECE Recommendation 20, for example EA, KGM, CT")
    unit_price = serializers.RegexField(DECIMAL, help_text="tax included, at most 13 decimals")
    tax_rate = serializers.RegexField(r"^0(\.[0-9]{1,4})?$", default="0.13")
    tolerance_pct = serializers.RegexField(r"^[0-9]{1,2}(\.[0-9]{1,2})?$", default="0")

    fulfils = FulfilsSerializer(
        required=False, help_text="back-to-back: the line of an order that the buyer took, for which it buys this"
    )

    def validate_fulfils(self, value: dict[str, Any]) -> tuple[UUID, str]:
        return value["order"], value["line_id"]

    def validate_quantity(self, value: str) -> Decimal:
        if not Decimal(value):
            raise serializers.ValidationError("A line orders more than nothing.")
        return Decimal(value)


class ShipToSerializer(StrictSerializer):
    name = serializers.CharField(max_length=100)
    address = serializers.CharField(max_length=200)
    latitude = serializers.DecimalField(max_digits=10, decimal_places=7, min_value=Decimal(-90), max_value=Decimal(90))
    longitude = serializers.DecimalField(
        max_digits=10, decimal_places=7, min_value=Decimal(-180), max_value=Decimal(180)
    )
    radius_m = serializers.IntegerField(min_value=20, max_value=5_000, default=300)


class PaymentTermsSerializer(StrictSerializer):
    days = serializers.IntegerField(min_value=0, max_value=365)
    from_ = serializers.ChoiceField(["receipt", "invoice"], source="starts")

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        fields["from"] = fields.pop("from_")
        return fields


class NewOrderSerializer(StrictSerializer):
    order_no = serializers.CharField(max_length=64)
    buyer = TypeIdField("org")
    seller = TypeIdField("org")
    currency = serializers.ChoiceField(["CNY"], default="CNY")
    lines = many(NewLineSerializer, allow_empty=False, max_length=LINES_LIMIT)
    ship_to = ShipToSerializer()
    payment_terms = PaymentTermsSerializer()
    contract_no = serializers.CharField(max_length=64, allow_blank=True, default="")
    funder_disclosure = serializers.ChoiceField(FunderDisclosure.choices, default=FunderDisclosure.ASK_BUYER)


class NewDespatchLineSerializer(StrictSerializer):
    order_line = serializers.CharField(max_length=16)
    quantity = serializers.RegexField(r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,3})?$")
    lot = serializers.CharField(max_length=64, allow_blank=True, default="")
    production_no = serializers.CharField(
        max_length=64, allow_blank=True, default="", help_text="of the lot, where it was made for this order"
    )

    def validate_quantity(self, value: str) -> Decimal:
        if not Decimal(value):
            raise serializers.ValidationError("A line sends more than nothing.")
        return Decimal(value)


class NewDespatchSerializer(StrictSerializer):
    order = TypeIdField("ord")
    despatch_no = serializers.CharField(max_length=64)
    lines = many(NewDespatchLineSerializer, allow_empty=False, max_length=LINES_LIMIT)
    carrier = TypeIdField("org", allow_null=True, default=None)
    driver = TypeIdField("mem", allow_null=True, default=None)
    plate_no = serializers.CharField(max_length=16, allow_blank=True, default="")
    waybill_no = serializers.CharField(max_length=64, allow_blank=True, default="")
    packages = serializers.IntegerField(min_value=0, max_value=1_000_000, default=0)
    end_order = TypeIdField(
        "ord", allow_null=True, default=None, help_text="back-to-back: the order above whose buyer receives the goods"
    )


@cache
def _reader(serializer: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """One for all requests: it keeps nothing of what it reads, and making its sixty fields takes longer than reading with them."""
    return serializer()


def read(serializer: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    """Validated data. Raises DRF's ValidationError, which leaves as problem+json naming the fields."""
    return _reader(serializer).run_validation(data)


def signed_act(serializer: type[ActSerializer], data: Any) -> SignedAct:
    """A signed act, kept as it came: what was signed are these bytes, so a value that only reads the same (`"1"` for 1) is refused."""
    checked = read(serializer, data)
    for name in ("signed", "capture"):
        for field in differences(checked.get(name), data.get(name), name):
            raise serializers.ValidationError({field: ["Not of the type this field has."]})
    files = tuple(SentFile(**file) for file in checked.get("uploads", ()))
    return SignedAct(
        signed=checked.get("signed", {}),
        capture=checked["capture"],
        files=files,
        signature=checked.get("signature", ""),
        kind=checked.get("kind", ""),
    )
