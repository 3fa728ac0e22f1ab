"""People of the own organisation: members and their handsets, invitations, delegations. What cannot be undone is asked once more."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from backend.console.labels import REFUSALS
from backend.console.people_forms import DelegationForm, InviteForm, RolesForm, refuse
from backend.console.qr import qr_svg
from backend.console.seat import Seat, SeatedRequest, name_of, seated, show
from backend.core import ids
from backend.core.errors import DomainError, Forbidden, NotFound
from backend.parties import selectors, services
from backend.parties.models import Device, Member, Role

SHOWN = 200


def administering(request: SeatedRequest) -> Seat:
    """The seat of an administrator. Raises Forbidden."""
    seat = request.seat
    if not seat.member.has_role(Role.ADMIN):
        raise Forbidden(_("Administrators look after the people of their organisation."))
    return seat


def _granting(request: SeatedRequest) -> Seat:
    seat = request.seat
    if not seat.member.has_role(Role.ADMIN, Role.SIGNER):
        raise Forbidden(_("Signers and administrators delegate."))
    return seat


def confirmed(request: SeatedRequest, *, title: str, detail: str, action: str, back: str) -> HttpResponse | None:
    """The page that asks once more; None when the answer was yes."""
    if request.method == "POST":
        return None
    return show(request, "console/confirm.html", title=title, detail=detail, action=action, back=back)


def said(request: SeatedRequest, refusal: DomainError) -> None:
    """A refusal as a message over the next page."""
    messages.error(request, str(REFUSALS.get(refusal.code, refusal.detail)))


@require_safe
@seated
def people(request: SeatedRequest) -> HttpResponse:
    """Members, invitations and delegations; a signer who is no administrator sees delegations alone."""
    by = _granting(request).by
    members = selectors.members(by).order_by("-active", "enrolled_at", "id")
    return show(
        request,
        "console/people.html",
        administers=request.seat.member.has_role(Role.ADMIN),
        members=members[:SHOWN],
        invitations=[row for row in selectors.invitations(by).order_by("-id")[:SHOWN] if row.state != "accepted"],
        delegations=selectors.delegations(by).order_by("-id")[:SHOWN],
    )


@never_cache
@require_http_methods(["GET", "POST"])
@seated
def invite(request: SeatedRequest) -> HttpResponse:
    """The form for an invitation; its answer shows the code, this once."""
    seat = administering(request)
    form = InviteForm(request.POST or None, organisation=seat.organisation)
    if request.method == "POST" and form.is_valid():
        try:
            invited = services.invite(by=seat.by, **form.cleaned_data)
        except DomainError as refusal:
            refuse(form, refusal)
        else:
            return show_code(request, invited, back=reverse("console:people"))
    status = 422 if request.method == "POST" else 200
    return show(request, "console/invite.html", status=status, form=form)


def show_code(request: SeatedRequest, invited: services.Invited, *, back: str) -> HttpResponse:
    """The page with the code and its QR. The link carries the code behind a #, so that no server logs it."""
    link = f"{request.build_absolute_uri(reverse('console:join'))}#{invited.code}"
    return show(
        request,
        "console/invited.html",
        status=201,
        invitation=invited.invitation,
        code=invited.code,
        link=link,
        qr=qr_svg(link),
        back=back,
    )


@require_http_methods(["GET", "POST"])
@seated
def withdraw(request: SeatedRequest, invitation: str) -> HttpResponse:
    """Takes an invitation back, after asking."""
    by = administering(request).by
    row = selectors.invitations(by).filter(id=ids.from_typeid("ivt", invitation)).first()
    if row is None:
        raise NotFound()
    asked = confirmed(
        request,
        title=_("Withdraw the invitation of %(name)s?") % {"name": name_of(row)},
        detail=_("Its code works no more. You can invite the same person again."),
        action=_("Withdraw"),
        back=reverse("console:people"),
    )
    if asked:
        return asked
    try:
        services.withdraw_invitation(by=by, invitation_id=row.id)
    except DomainError as refusal:
        said(request, refusal)
    else:
        messages.success(request, _("The invitation was withdrawn."))
    return redirect("console:people")


@require_http_methods(["GET", "POST"])
@seated
def member(request: SeatedRequest, member: str) -> HttpResponse:
    """One member: roles to change, handsets, who enrolled them."""
    seat = administering(request)
    row = _member(seat, member)
    form = RolesForm(request.POST or None, organisation=seat.organisation, initial={"roles": row.roles})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                services.change_roles(by=seat.by, member_id=row.id, roles=form.cleaned_data["roles"])
            except DomainError as refusal:
                refuse(form, refusal)
            else:
                messages.success(request, _("The roles were changed."))
                return redirect("console:member", member)
    devices = selectors.devices_of_member(seat.by, row.id).order_by("-id")[:SHOWN]
    return show(request, "console/member.html", status=status, row=row, form=form, devices=devices)


def _member(seat: Seat, text: str) -> Member:
    return selectors.member_by_id(seat.by, ids.from_typeid("mem", text))


@require_http_methods(["GET", "POST"])
@seated
def revoke_member(request: SeatedRequest, member: str) -> HttpResponse:
    """Ends a membership, after asking."""
    seat = administering(request)
    row = _member(seat, member)
    asked = confirmed(
        request,
        title=_("Revoke %(name)s?") % {"name": name_of(row.person)},
        detail=_(
            "They are signed out everywhere at once and can do nothing more for this organisation. What they signed stays."
        ),
        action=_("Revoke"),
        back=reverse("console:member", args=[member]),
    )
    if asked:
        return asked
    try:
        services.revoke_member(by=seat.by, member_id=row.id)
    except DomainError as refusal:
        said(request, refusal)
        return redirect("console:member", member)
    messages.success(request, _("%(name)s was revoked.") % {"name": name_of(row.person)})
    return redirect("console:people")


@require_http_methods(["GET", "POST"])
@seated
def revoke_device(request: SeatedRequest, device: str) -> HttpResponse:
    """Revokes a member's handset, after asking."""
    seat = administering(request)
    of = seat.organisation.id
    device_id: UUID = ids.from_typeid("dev", device)
    row = Device.objects.select_related("registered_by__person").filter(id=device_id, registered_by__organisation=of)
    found = row.first()
    if found is None:
        raise NotFound()
    back = reverse("console:member", args=[ids.typed("member", found.registered_by_id)])
    asked = confirmed(
        request,
        title=_("Revoke the handset %(model)s?") % {"model": found.model or found.platform},
        detail=_(
            "It is signed out at once, and signatures that still wait on it are refused. %(name)s can sign in on another handset."
        )
        % {"name": name_of(found.registered_by.person)},
        action=_("Revoke"),
        back=back,
    )
    if asked:
        return asked
    services.revoke_device(by=seat.by, device_id=device_id)
    messages.success(request, _("The handset was revoked."))
    return redirect(back)


@require_http_methods(["GET", "POST"])
@seated
def delegate(request: SeatedRequest) -> HttpResponse:
    """The form for a delegation."""
    seat = _granting(request)
    form = DelegationForm(request.POST or None, colleagues=_colleagues(seat))
    if request.method == "POST" and form.is_valid():
        try:
            services.grant_delegation(by=seat.by, **_terms(form.cleaned_data))
        except DomainError as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("The delegation holds."))
            return redirect("console:people")
    status = 422 if request.method == "POST" else 200
    return show(request, "console/delegate.html", status=status, form=form)


def _colleagues(seat: Seat) -> list[Member]:
    """Whom the member may let sign: everybody active but themselves and those who sign by role."""
    rows = Member.objects.filter(organisation=seat.organisation, active=True).select_related("person")
    return [one for one in rows.exclude(id=seat.member.id).order_by("id") if not one.has_role(Role.SIGNER)]


def _terms(given: dict[str, Any]) -> dict[str, Any]:
    return {
        "to_member": UUID(given["to_member"]),
        "doc_types": given["doc_types"],
        "max_amount_fen": int(given["max_amount"] * 100),
        "valid_from": given["valid_from"],
        "valid_to": given["valid_to"],
    }


@require_http_methods(["GET", "POST"])
@seated
def revoke_delegation(request: SeatedRequest, delegation: str) -> HttpResponse:
    """Ends a delegation, after asking."""
    by = _granting(request).by
    row = selectors.delegations(by).filter(id=ids.from_typeid("dlg", delegation)).first()
    if row is None:
        raise NotFound()
    asked = confirmed(
        request,
        title=_("Revoke the delegation to %(name)s?") % {"name": name_of(row.to_member.person)},
        detail=_("It ends at once. What was signed under it stays signed."),
        action=_("Revoke"),
        back=reverse("console:people"),
    )
    if asked:
        return asked
    services.revoke_delegation(by=by, delegation_id=row.id)
    messages.success(request, _("The delegation was revoked."))
    return redirect("console:people")
