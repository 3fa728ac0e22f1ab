"""Who sits in front of the console: the member, what they may see, and the pages that are theirs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from backend.core.errors import Forbidden, NotFound
from backend.core.events import Actor
from backend.parties.auth import actor
from backend.parties.models import Member, Organisation, OrganisationKind, Role
from backend.parties.selectors import administers_operator, member_of, watches_risk

View = Callable[..., HttpResponse]


class SeatedRequest(HttpRequest):
    """A request of a signed-in member, as `seated` hands it on."""

    seat: "Seat"


def name_of(thing: Any) -> str:
    """A person's or an organisation's name in the reader's language."""
    return (thing.name_en if get_language() == "en" else "") or thing.name


def in_words(texts: dict[str, str]) -> str:
    """A sentence that is kept in both languages ({zh, en}), in the reader's."""
    return texts["en" if get_language() == "en" else "zh"]


@dataclass(frozen=True)
class Page:
    url: str
    label: str
    here: bool


@dataclass(frozen=True)
class Seat:
    """The signed-in member of a console request."""

    by: Actor
    member: Member
    path: str

    @property
    def organisation(self) -> Organisation:
        return self.member.organisation

    @property
    def person_name(self) -> str:
        return name_of(self.member.person)

    @property
    def organisation_name(self) -> str:
        return name_of(self.organisation)

    @property
    def demonstration(self) -> bool:
        return settings.DEMO

    @property
    def is_buyer(self) -> bool:
        return self.organisation.kind == OrganisationKind.BUYER

    @property
    def is_seller(self) -> bool:
        return self.organisation.kind == OrganisationKind.SELLER

    @property
    def watches_risk(self) -> bool:
        """A risk officer of the verified operator: alerts are their first page."""
        return watches_risk(self.member)

    @property
    def sees_orders(self) -> bool:
        """Whether orders, with their prices, are theirs to open; a carrier sees its trips only."""
        return (
            self.is_buyer
            or self.is_seller
            or self.organisation.kind in (OrganisationKind.OPERATOR, OrganisationKind.AUDITOR)
        )

    @property
    def may_issue(self) -> bool:
        """Orders are issued by the buyer's office, or by the seller on the buyer's behalf."""
        return (self.is_buyer or self.is_seller) and self.member.has_role(Role.MAKER, Role.ADMIN)

    @property
    def operates(self) -> bool:
        """An administrator of the verified operator: organisations are theirs to verify."""
        return administers_operator(self.member)

    @property
    def pages(self) -> list[Page]:
        """The pages of this role, the first is home."""
        first = [("console:alerts", _("Alerts"))] if self.watches_risk else [("console:home", _("Overview"))]
        rest = [("console:orders", _("Orders"))] if self.sees_orders else []
        rest += [("console:despatches", _("Despatches"))]
        rest += [("console:receipts", _("Receipts"))] if self.sees_orders else []
        if self.is_buyer:
            rest += [("console:alerts", _("Alerts"))]
        if self.operates:
            rest += [("console:organisations", _("Organisations"))]
        if self.member.has_role(Role.ADMIN, Role.SIGNER):
            rest += [("console:people", _("People"))]
        rest += [("console:ledger", _("Ledger"))]
        return [self._page(name, label) for name, label in first + rest]

    def _page(self, name: str, label: str) -> Page:
        url = reverse(name)
        inside = self.path.startswith(url) if name != "console:home" else self.path == url
        return Page(url, label, inside)


def seated(view: View) -> View:
    """Decorates a page of the console: signed in, a member of an organisation, `request.seat` set. What is not theirs is a 404 page."""

    @login_required
    @wraps(view)
    def inside(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        by = actor(request)
        member = member_of(by)
        if member is None:
            detail = _("You are signed in, but no organisation has enrolled you as a member.")
            return render(request, "console/refused.html", {"detail": detail}, status=403)
        setattr(request, "seat", Seat(by=by, member=member, path=request.path))  # noqa: B010 - becomes a SeatedRequest
        try:
            return view(request, *args, **kwargs)
        except NotFound:
            raise Http404 from None
        except Forbidden as refusal:
            return render(request, "console/refused.html", {"detail": refusal.detail}, status=403)

    return inside


def show(request: SeatedRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Renders a page with the seat it is for."""
    return render(request, template, {"seat": request.seat, **context}, status=status)
