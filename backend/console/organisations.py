"""The operator's pages: organisations added, verified, and handed to their first administrator."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backend.console.orders import page_of
from backend.console.people import said, show_code
from backend.console.people_forms import FirstAdministratorForm, OrganisationForm, UnverifyForm, VerifyForm, refuse
from backend.console.seat import Seat, SeatedRequest, seated, show
from backend.core import ids
from backend.core.errors import DomainError, Forbidden, NotFound
from backend.parties import selectors, services
from backend.parties.models import Organisation, Role


def _operating(request: SeatedRequest) -> Seat:
    if not request.seat.operates:
        raise Forbidden(_("The operator's administrators look after organisations."))
    return request.seat


def _organisation(request: SeatedRequest, text: str) -> Organisation:
    rows = selectors.organisations(_operating(request).by)
    row = rows.filter(id=ids.from_typeid("org", text)).first()
    if row is None:
        raise NotFound()
    return row


@require_safe
@seated
def organisation_list(request: SeatedRequest) -> HttpResponse:
    """All organisations, the newest first; found by name or code (`q`)."""
    rows = selectors.organisations(_operating(request).by)
    sought = request.GET.get("q", "").replace("\0", "").strip()[:64]
    if sought:
        rows = rows.filter(name__icontains=sought) | rows.filter(uscc__icontains=sought)
    found, following = page_of(rows, kind="organisation", before=request.GET.get("before"))
    next_url = f"?q={sought}&before={following}" if following else None
    return show(request, "console/organisations.html", rows=found, sought=sought, next_url=next_url)


@require_http_methods(["GET", "POST"])
@seated
def new(request: SeatedRequest) -> HttpResponse:
    """The form for an organisation, which is then claimed and no more."""
    by = _operating(request).by
    form = OrganisationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_organisation(by=by, **form.cleaned_data)
        except DomainError as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("%(name)s was added.") % {"name": made.name})
            return redirect("console:organisation", ids.typed("organisation", made.id))
    status = 422 if request.method == "POST" else 200
    return show(request, "console/organisation_new.html", status=status, form=form)


@require_safe
@seated
def organisation(request: SeatedRequest, organisation: str) -> HttpResponse:
    """One organisation: how it was verified, and what comes next."""
    return _page(request, _organisation(request, organisation))


def _page(
    request: SeatedRequest,
    row: Organisation,
    *,
    verify: VerifyForm | None = None,
    unverify: UnverifyForm | None = None,
    first: FirstAdministratorForm | None = None,
    status: int = 200,
) -> HttpResponse:
    members = row.members.filter(active=True).select_related("person")
    return show(
        request,
        "console/organisation.html",
        status=status,
        row=row,
        verifications=row.verifications.select_related("verified_by__person", "revoked_by__person").order_by("-id"),
        administrators=[one for one in members if one.has_role(Role.ADMIN)],
        waiting=[one for one in row.invitations.order_by("-id")[:20] if one.state == "open"],
        verify=verify or VerifyForm(),
        unverify=unverify or UnverifyForm(),
        first=first or FirstAdministratorForm(),
    )


@require_POST
@seated
def verify(request: SeatedRequest, organisation: str) -> HttpResponse:
    """Records that the organisation is who it claims to be."""
    row, form = _organisation(request, organisation), VerifyForm(request.POST)
    if not form.is_valid():
        return _page(request, row, verify=form, status=422)
    try:
        services.verify_organisation(by=request.seat.by, organisation=row, **form.cleaned_data)
    except DomainError as refusal:
        said(request, refusal)
    else:
        messages.success(request, _("%(name)s is verified.") % {"name": row.name})
    return redirect("console:organisation", organisation)


@require_POST
@seated
def unverify(request: SeatedRequest, organisation: str) -> HttpResponse:
    """Takes the verification back; the reason that must be typed is the asking once more."""
    row, form = _organisation(request, organisation), UnverifyForm(request.POST)
    if not form.is_valid():
        return _page(request, row, unverify=form, status=422)
    try:
        services.unverify_organisation(by=request.seat.by, organisation=row, **form.cleaned_data)
    except DomainError as refusal:
        said(request, refusal)
    else:
        messages.success(request, _("The verification was revoked."))
    return redirect("console:organisation", organisation)


@never_cache
@require_POST
@seated
def first_administrator(request: SeatedRequest, organisation: str) -> HttpResponse:
    """Invites the first administrator; the answer shows the code, this once."""
    row, form = _organisation(request, organisation), FirstAdministratorForm(request.POST)
    if not form.is_valid():
        return _page(request, row, first=form, status=422)
    try:
        invited = services.invite(by=request.seat.by, organisation=row.id, roles=[Role.ADMIN], **form.cleaned_data)
    except DomainError as refusal:
        said(request, refusal)
        return redirect("console:organisation", organisation)
    return show_code(request, invited, back=reverse("console:organisation", args=[organisation]))
