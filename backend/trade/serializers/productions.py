from decimal import Decimal

from rest_framework import serializers

from backend.core.ids import TypeIdField
from backend.trade.serializers.goods import StrictSerializer

QUANTITY_GIVEN = r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,3})?$"


def _more_than_nothing(value: str) -> Decimal:
    if not Decimal(value):
        raise serializers.ValidationError("This is more than nothing.")
    return Decimal(value)


class NewProductionSerializer(StrictSerializer):
    order = TypeIdField("ord")
    order_line = serializers.CharField(max_length=16)
    production_no = serializers.CharField(max_length=64)
    lot = serializers.CharField(max_length=64)
    gtin = serializers.CharField(max_length=14, allow_blank=True, default="", help_text="8, 12, 13 or 14 digits")
    planned_quantity = serializers.RegexField(QUANTITY_GIVEN)

    def validate_planned_quantity(self, value: str) -> Decimal:
        return _more_than_nothing(value)


class ProductionStartSerializer(StrictSerializer):
    started_at = serializers.DateTimeField()


class ProductionOutputSerializer(StrictSerializer):
    produced_quantity = serializers.RegexField(QUANTITY_GIVEN)
    finished_at = serializers.DateTimeField()

    def validate_produced_quantity(self, value: str) -> Decimal:
        return _more_than_nothing(value)


class ProductionQualitySerializer(StrictSerializer):
    passed_quantity = serializers.RegexField(QUANTITY_GIVEN, help_text="0 when the lot failed")
    tested_at = serializers.DateTimeField()

    def validate_passed_quantity(self, value: str) -> Decimal:
        return Decimal(value)
