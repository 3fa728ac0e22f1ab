from decimal import Decimal
from typing import Any
from uuid import UUID

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from backend.console import labels
from backend.console.seat import in_words, name_of
from backend.core import ids
from backend.core.money import money_text
from backend.risk import rules
from backend.risk.models import Alert, Signal

register = template.Library()
register.filter("name", name_of)


@register.filter
def typed(value: UUID, kind: str) -> str:
    """`order.id|typed:"order"`: the identifier as addresses carry it."""
    return ids.typed(kind, value)


@register.filter
def money(amount_fen: int, currency: str = "CNY") -> str:
    """21948000 as `¥219,480.00`; another currency by its code."""
    whole, cents = money_text(amount_fen).split(".")
    return f"{'¥' if currency == 'CNY' else currency + ' '}{int(whole):,}.{cents}"


@register.filter
def quantity(value: Decimal | str) -> str:
    """`"1200.000"` as `1,200`: three decimals at most, none that say nothing."""
    return f"{Decimal(value).normalize():,f}"


@register.filter
def unit(code: str) -> str:
    """A unit's name; a code that is not in the table stands as it is."""
    return str(labels.UNITS.get(code, code))


@register.filter
def state(code: str, kind: str) -> SafeString:
    """`order.state|state:"order"`: a state as a coloured word; one that there is not, as it was written."""
    label, tone = labels.STATES[kind].get(code, (code, "bad"))
    return format_html('<span class="tag {}">{}</span>', tone, label)


@register.filter
def label(code: str, table: str) -> str:
    """`voucher.kind|label:"VOUCHER_KINDS"`: a code's name from one of the tables."""
    return str(getattr(labels, table).get(code, code))


@register.filter
def reason(hit: Alert | Signal) -> str:
    """Why, as a sentence in the reader's language."""
    return in_words(rules.reason(hit.band, hit.values))


@register.filter
def rule_name(rule: str) -> str:
    """`R21` as `Signed elsewhere`."""
    found = rules.RULES[rule]
    return in_words({"zh": found.zh, "en": found.en})


@register.filter
def metres(distance: float | None) -> str:
    """`320 m`, `12.0 km`."""
    if distance is None:
        return "–"
    if distance < 1000:
        return _("%(number)s m") % {"number": f"{distance:.0f}"}
    return _("%(number)s km") % {"number": f"{distance / 1000:,.1f}"}


@register.inclusion_tag("console/anchor.html")
def anchor(anchor: Any) -> dict[str, Any]:
    """An event's place in the ledger: number and proof, or that it waits."""
    return {"anchor": anchor}


@register.filter
def row_number(prefix: str) -> int:
    """`lines-0` as 1: what a person calls the row."""
    return int(prefix.rpartition("-")[2]) + 1


@register.filter
def card_name(card: dict[str, Any]) -> str:
    """A person's or firm's name in the reader's language, from the form in which documents carry it."""
    return str((card.get("name_en") if get_language() == "en" else "") or card["name"])


@register.filter
def add_number(value: float, more: str) -> float:
    """Like `add`, for numbers with decimals."""
    return value + float(more)
