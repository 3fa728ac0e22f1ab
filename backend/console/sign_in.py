"""The console's door: user name and password, each try recorded by the room of parties, the lockout said in minutes."""

from math import ceil

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from backend.core.errors import DomainError
from backend.parties.services import sign_in_console, sign_out_console


@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page. A refusal is said on it, with the status of its error (401, 403, 429 with Retry-After)."""
    following = _next(request)
    if request.method != "POST":
        if request.user.is_authenticated:
            return redirect(following)
        return render(request, "console/sign_in.html", {"next": following})
    username = request.POST.get("username", "")
    try:
        sign_in_console(username=username, password=request.POST.get("password", ""), request=request)
    except DomainError as refusal:
        context = {"next": following, "username": username, "refusal": _in_words(refusal)}
        response = render(request, "console/sign_in.html", context, status=refusal.status)
        if "retry_after" in refusal.extensions:
            response["Retry-After"] = str(refusal.extensions["retry_after"])
        return response
    return redirect(following)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends the session and its open sockets."""
    sign_out_console(request=request)
    return redirect(settings.LOGIN_URL)


def _next(request: HttpRequest) -> str:
    asked = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(asked, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return asked
    return settings.LOGIN_REDIRECT_URL


def _in_words(refusal: DomainError) -> str:
    if refusal.code == "locked-out":
        minutes = ceil(refusal.extensions["retry_after"] / 60)
        return ngettext(
            "Too many failed attempts. Wait %(minutes)s minute, then try again.",
            "Too many failed attempts. Wait %(minutes)s minutes, then try again.",
            minutes,
        ) % {"minutes": minutes}
    if refusal.code == "not-enrolled":
        return _("The password is right, but no organisation has enrolled you as an active member.")
    return _("The user name or the password is wrong.")
