from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.expressions import Combinable

QUANTITY_DIGITS = 15


class QuantityField(models.BigIntegerField[Decimal | float | int | str | Combinable, Decimal]):
    """A quantity with three decimals: a Decimal in Python, whole thousandths in the database (SQLite has no exact decimal)."""

    def from_db_value(self, value: Any, *_: Any) -> Decimal | None:
        return None if value is None else (Decimal(value) / 1000).quantize(Decimal("0.001"))

    def to_python(self, value: Any) -> Decimal | None:
        return None if value is None else Decimal(value)

    def get_prep_value(self, value: Any) -> int | None:
        if value is None:
            return None
        thousandths = Decimal(value) * 1000
        if thousandths != thousandths.to_integral_value() or abs(thousandths) >= 10**QUANTITY_DIGITS:
            raise ValidationError("a quantity has at most 12 digits before and 3 behind the point")
        return int(thousandths)
