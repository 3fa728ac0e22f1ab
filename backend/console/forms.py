"""The form in which an order is issued: what a person types, checked field by field before the service sees it."""

import re
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from backend.console import labels
from backend.console.seat import name_of
from backend.core.money import line_amount_fen, plain_text
from backend.parties.models import Organisation
from backend.trade.services import LINES_LIMIT, LineTerms, ShipTo

LARGEST_QUANTITY = Decimal("999999999.999")
LARGEST_PRICE = Decimal("99999999")
LARGEST_TOTAL_FEN = 10**15
LARGEST_RADIUS_M = 5_000
# Python refuses to read a number of some thousand digits, and nobody has so many rows.
ROW = re.compile(r"[0-9]{1,4}")


class OrderForm(forms.Form):
    """The head of an order. `counterparty` is the other side: the seller for the buyer's office, the buyer for a seller."""

    order_no = forms.CharField(label=_("Order number"), max_length=64)
    counterparty = forms.ChoiceField(label=_("Seller"))
    contract_no = forms.CharField(label=_("Contract number"), max_length=64, required=False)
    payment_days = forms.IntegerField(label=_("Days to pay"), min_value=0, max_value=365, initial=60)
    payment_from = forms.ChoiceField(label=_("Counted from"), choices=labels.PAYMENT_FROM.items(), initial="receipt")
    funder_disclosure = forms.ChoiceField(
        label=_("Shown to funders"), choices=labels.DISCLOSURE.items(), initial="ask_buyer"
    )
    ship_to_name = forms.CharField(label=_("Place of delivery"), max_length=100)
    ship_to_address = forms.CharField(label=_("Address"), max_length=200)
    latitude = forms.DecimalField(
        label=_("Latitude (WGS-84)"), min_value=-90, max_value=90, max_digits=10, decimal_places=7
    )
    longitude = forms.DecimalField(
        label=_("Longitude (WGS-84)"), min_value=-180, max_value=180, max_digits=10, decimal_places=7
    )
    radius_m = forms.IntegerField(label=_("Radius in metres"), min_value=20, max_value=LARGEST_RADIUS_M, initial=300)

    def __init__(self, *args: Any, counterparties: list[tuple[str, str]], for_seller: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["counterparty"].choices = counterparties  # type: ignore[attr-defined]
        if for_seller:
            self.fields["counterparty"].label = _("Buyer")

    def ship_to(self) -> ShipTo:
        """Where the goods go, once the form is valid."""
        given = self.cleaned_data
        return ShipTo(
            name=given["ship_to_name"],
            address=given["ship_to_address"],
            latitude=given["latitude"],
            longitude=given["longitude"],
            radius_m=given["radius_m"],
        )

    @property
    def terms(self) -> dict[str, Any]:
        """What the service takes besides parties, lines and address."""
        names = ("order_no", "contract_no", "payment_days", "payment_from", "funder_disclosure")
        return {name: self.cleaned_data[name] for name in names}


class LineForm(forms.Form):
    """One line. The price includes tax."""

    item_code = forms.CharField(label=_("Item code"), max_length=64, required=False)
    item_name = forms.CharField(label=_("Item"), max_length=200)
    quantity = forms.DecimalField(
        label=_("Quantity"),
        max_digits=18,
        decimal_places=3,
        validators=[MinValueValidator(Decimal("0.001"), _("More than nothing.")), MaxValueValidator(LARGEST_QUANTITY)],
    )
    unit = forms.ChoiceField(
        label=_("Unit"), choices=[(code, labels.UNITS[code]) for code in labels.OFFERED_UNITS], initial="H87"
    )
    unit_price = forms.DecimalField(
        label=_("Price each, tax included (¥)"),
        max_digits=14,
        decimal_places=6,
        validators=[MinValueValidator(Decimal("0.000001"), _("More than nothing.")), MaxValueValidator(LARGEST_PRICE)],
    )
    tax_rate = forms.DecimalField(
        label=_("Tax %"), min_value=0, max_value=100, max_digits=5, decimal_places=2, initial=Decimal(13)
    )
    tolerance_pct = forms.DecimalField(
        label=_("Tolerance %"), min_value=0, max_value=5, max_digits=4, decimal_places=2, initial=Decimal(0)
    )

    def amount_fen(self) -> int | None:
        """What this line costs, or None while it cannot be told."""
        given = getattr(self, "cleaned_data", {})
        if "quantity" not in given or "unit_price" not in given:
            return None
        return line_amount_fen(given["quantity"], given["unit_price"])


class OrderLines(forms.BaseFormSet):
    """The lines together: their sum must be an amount that a signature can carry."""

    default_error_messages = {"too_few_forms": _("An order needs at least one line.")}

    def add_fields(self, form: forms.Form, index: int | None) -> None:
        """No line may be left blank: a row too many is removed, not passed over."""
        super().add_fields(form, index)
        form.empty_permitted = False

    def clean(self) -> None:
        if sum(form.amount_fen() or 0 for form in self.forms) >= LARGEST_TOTAL_FEN:
            raise forms.ValidationError(_("The total is too large."), code="total-too-large")


LineForms = forms.formset_factory(
    LineForm,
    formset=OrderLines,
    extra=0,
    min_num=1,
    validate_min=True,
    max_num=LINES_LIMIT,
    absolute_max=LINES_LIMIT,
    validate_max=True,
)


def line_terms(lines: Any) -> list[LineTerms]:
    """The lines of a valid form as the service takes them, numbered from 1."""
    return [
        LineTerms(
            line_id=str(place),
            item_code=given["item_code"],
            item_name=given["item_name"],
            quantity=given["quantity"],
            unit=given["unit"],
            unit_price=plain_text(given["unit_price"]),
            tax_rate=plain_text(given["tax_rate"] / 100),
            tolerance_pct=plain_text(given["tolerance_pct"]),
        )
        for place, given in enumerate((form.cleaned_data for form in lines), 1)
    ]


def typed_rows(data: Any, prefix: str = "lines") -> list[dict[str, str]]:
    """What was typed into the lines so far, right or wrong, row by row: to show the same again with a row more or less."""
    rows = min(row_number(data.get(f"{prefix}-TOTAL_FORMS", "")) or 0, LINES_LIMIT)
    names = LineForm.base_fields
    return [{name: data.get(f"{prefix}-{row}-{name}", "") for name in names} for row in range(rows)]


def row_number(typed: str) -> int | None:
    """The number, or the count, of rows that a form sent; None for what can be neither."""
    return int(typed) if ROW.fullmatch(typed) else None


def counterparties_of(organisation: Organisation, *, kind: str) -> list[tuple[str, str]]:
    """The verified firms of a kind, as choices of a form."""
    rows = Organisation.objects.filter(kind=kind, verification="VERIFIED").exclude(id=organisation.id).order_by("name")
    return [(str(row.id), f"{name_of(row)} · {row.uscc}") for row in rows]


def chosen(value: str) -> UUID:
    """The organisation behind a choice (the form has checked that it is one)."""
    return UUID(value)
