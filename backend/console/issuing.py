"""Issuing an order: the form, its lines (added and removed by the server, so that what was typed stays), the total as it will be signed."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS
from django.db.models import Q
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backend.console.forms import LineForms, OrderForm, chosen, counterparties_of, line_terms, row_number, typed_rows
from backend.console.labels import REFUSALS
from backend.console.seat import Seat, SeatedRequest, seated, show
from backend.core import ids
from backend.core.errors import DomainError, Forbidden
from backend.parties.models import OrganisationKind, Site
from backend.trade.services import issue_order

LINES = "lines"


@require_http_methods(["GET", "POST"])
@seated
def new(request: SeatedRequest) -> HttpResponse:
    """The form for an order; a valid one is issued and its page opened. A refusal of the service stands at the field it names."""
    seat = _issuer(request)
    if request.method != "POST":
        return _page(request, _form(seat), LineForms(prefix=LINES))
    form, lines = _form(seat, request.POST), LineForms(request.POST, prefix=LINES)
    right = [form.is_valid(), lines.is_valid()]
    if all(right):
        other = chosen(form.cleaned_data["counterparty"])
        own = seat.organisation.id
        buyer, seller = (own, other) if seat.is_buyer else (other, own)
        try:
            order = issue_order(
                by=seat.by, buyer=buyer, seller=seller, lines=line_terms(lines), ship_to=form.ship_to(), **form.terms
            )
        except DomainError as refusal:
            _show_refusal(form, refusal)
        else:
            messages.success(request, _("Order %(number)s was issued.") % {"number": order.order_no})
            return redirect("console:order", ids.typed("order", order.id))
    return _page(request, form, lines, total=_total(lines), status=422)


@require_POST
@seated
def lines(request: SeatedRequest) -> HttpResponse:
    """The lines with one more (`add`) or without one (`remove`, counted from 0), everything typed kept."""
    _issuer(request)
    rows: list[dict[str, Any]] = typed_rows(request.POST)
    removed = row_number(request.POST.get("remove", ""))
    if removed is not None and removed < len(rows) > 1:
        del rows[removed]
    if "add" in request.POST and len(rows) < LineForms.max_num:
        rows.append({})
    shown = LineForms(initial=rows, prefix=LINES)
    checked = LineForms(_as_data(rows), prefix=LINES)
    return show(request, "console/order_lines.html", lines=shown, total=_total(checked))


@require_POST
@seated
def total(request: SeatedRequest) -> HttpResponse:
    """What the lines typed so far cost together, rounded as it will be signed; nothing while one cannot be told."""
    _issuer(request)
    return show(request, "console/order_total.html", total=_total(LineForms(request.POST, prefix=LINES)))


@require_safe
@seated
def ship_to(request: SeatedRequest) -> HttpResponse:
    """The address fields, filled with one of the known places (`site`) or empty."""
    seat = _issuer(request)
    sites = _sites(seat)
    site = next((row for row in sites if str(row.id) == request.GET.get("site")), None)
    form = _form(seat)
    if site:
        form.initial = {
            "ship_to_name": site.name,
            "ship_to_address": site.address,
            "latitude": site.latitude,
            "longitude": site.longitude,
            "radius_m": site.radius_m,
        }
    return show(request, "console/ship_to.html", form=form, sites=sites, site_id=site and site.id)


def _issuer(request: SeatedRequest) -> Seat:
    seat: Seat = request.seat
    if not seat.may_issue:
        raise Forbidden(_("Orders are issued by the buyer's office, or by the seller on the buyer's behalf."))
    return seat


def _form(seat: Seat, data: QueryDict | None = None) -> OrderForm:
    kind = OrganisationKind.SELLER if seat.is_buyer else OrganisationKind.BUYER
    return OrderForm(data, counterparties=counterparties_of(seat.organisation, kind=kind), for_seller=seat.is_seller)


def _sites(seat: Seat) -> list[Site]:
    """The buyer's own places; for a seller those of buyers who have ordered from it."""
    own = (
        Q(organisation=seat.organisation) if seat.is_buyer else Q(organisation__orders_placed__seller=seat.organisation)
    )
    return list(Site.objects.filter(own).distinct().order_by("name"))


def _page(
    request: SeatedRequest, form: OrderForm, lines: Any, *, total: int | None = None, status: int = 200
) -> HttpResponse:
    sites = _sites(request.seat)
    site_id = next((row.id for row in sites if str(row.id) == request.POST.get("site")), None)
    context = {"form": form, "lines": lines, "total": total, "sites": sites, "site_id": site_id}
    return show(request, "console/order_new.html", status=status, **context)


def _show_refusal(form: OrderForm, refusal: DomainError) -> None:
    text = REFUSALS.get(refusal.code, refusal.detail)
    fields = {error["field"] for error in refusal.errors}
    names = {"seller": "counterparty", "buyer": "counterparty"}
    named = [names.get(field, field) for field in fields]
    for field in [name for name in named if name in form.fields] or [NON_FIELD_ERRORS]:
        form.add_error(field, text)


def _total(lines: Any) -> int | None:
    lines.is_valid()
    amounts = [form.amount_fen() for form in lines]
    return None if not amounts or None in amounts else sum(amounts)


def _as_data(rows: list[dict[str, Any]]) -> dict[str, Any]:
    data: dict[str, Any] = {f"{LINES}-TOTAL_FORMS": len(rows), f"{LINES}-INITIAL_FORMS": 0}
    for place, row in enumerate(rows):
        data |= {f"{LINES}-{place}-{name}": value for name, value in row.items()}
    return data
