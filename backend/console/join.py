from math import ceil

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from backend.console.people_forms import JoinForm, refuse
from backend.core.errors import DomainError
from backend.parties.services import join_at_console


@never_cache
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest) -> HttpResponse:
    """Whoever was invited enters the code and chooses a password. The code comes in the form, or behind the address's #, which no server sees."""
    if request.user.is_authenticated:
        return render(request, "console/join_signed_in.html")
    form = JoinForm(request.POST or None)
    if request.method != "POST":
        return render(request, "console/join.html", {"form": form})
    status, wait = 422, 0
    if form.is_valid():
        given = form.cleaned_data
        try:
            join_at_console(code=given["code"], username=given["username"], password=given["password"], request=request)
        except DomainError as refusal:
            status, wait = refusal.status if refusal.status != 400 else 422, refusal.extensions.get("retry_after", 0)
            if wait:
                form.add_error(None, _waiting(wait))
            else:
                refuse(form, refusal, invitation="code")
        else:
            messages.success(request, _("Welcome. Next time sign in with this user name and password."))
            return redirect(settings.LOGIN_REDIRECT_URL)
    response = render(request, "console/join.html", {"form": form}, status=status)
    if wait:
        response["Retry-After"] = str(wait)
    return response


def _waiting(seconds: int) -> str:
    minutes = ceil(seconds / 60)
    return ngettext(
        "Too many failed attempts. Wait %(minutes)s minute, then try again.",
        "Too many failed attempts. Wait %(minutes)s minutes, then try again.",
        minutes,
    ) % {"minutes": minutes}
