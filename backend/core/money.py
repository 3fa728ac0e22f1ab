"""Money in whole minor units, quantities with three decimals; never a float."""

from decimal import ROUND_HALF_UP, Decimal

QUANTITY_STEP = Decimal("0.001")


def money_text(amount_fen: int) -> str:
    """123450 as `"1234.50"`: exactly two decimals."""
    return f"{Decimal(amount_fen) / 100:.2f}"


def fen(text: str) -> int:
    """`"1234.50"` as 123450: what money_text wrote, read again."""
    return int(Decimal(text) * 100)


def line_amount_fen(quantity: Decimal, unit_price: Decimal) -> int:
    """What a line costs, rounded once, half up (UBL: LineExtensionAmount)."""
    return int((quantity * unit_price * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def quantity_text(quantity: Decimal) -> str:
    """A quantity as the ledger writes it: exactly three decimals."""
    return f"{quantity:.3f}"


def coordinate_text(degrees: Decimal) -> str:
    """A coordinate as the ledger writes it: exactly seven decimals (about a centimetre)."""
    return f"{degrees:.7f}"


def plain_text(value: Decimal) -> str:
    """A decimal as it was given, without an exponent: `"186.00"`."""
    return f"{value:f}"
