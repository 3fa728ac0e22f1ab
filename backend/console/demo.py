"""Doors that only the demonstration has: its handsets, a sign-in code for each, a sign-in to the console without a password.

They open to callers on this machine alone (a loopback address, no proxy in between): whoever reaches the server from elsewhere sees nothing here.
"""

import json
from collections.abc import Callable
from functools import wraps
from ipaddress import ip_address
from typing import Any

import httpx
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from backend.console.world import PEOPLE
from backend.core.errors import DomainError, Malformed, Unavailable
from backend.core.problems import PROBLEM_JSON, problem
from backend.parties.handsets import HANDSETS, listing
from backend.parties.models import Person
from backend.parties.services import open_console_session
from backend.parties.wechat_simulator import issue_code

FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip")


class SimulatorAway(Unavailable):
    code, title = "simulator-away", "WeChat's simulator does not answer"


def on_this_machine(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorates a door of the demonstration: to a caller from elsewhere, or outside the demonstration, it is not there."""

    @wraps(view)
    def inside(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.DEMO or not _is_local(request):
            raise Http404
        return view(request, *args, **kwargs)

    return inside


def _is_local(request: HttpRequest) -> bool:
    try:
        caller = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    mapped = getattr(caller, "ipv4_mapped", None)
    return (mapped or caller).is_loopback and not any(name in request.headers for name in FORWARDED)


@require_safe
@on_this_machine
def handsets(request: HttpRequest) -> HttpResponse:
    """All handsets: who, where, on which network."""
    return JsonResponse(listing(), safe=False)


@csrf_exempt  # gives a code to whoever plays a handset; it changes nothing, and its answer cannot be read from another site
@require_POST
@on_this_machine
@never_cache
def code(request: HttpRequest, handset: str) -> HttpResponse:
    """The code that `wx.login` would give on this handset: of its owner, or of whoever `as` names, who then signs in on a stranger's phone."""
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        return _refused(Malformed("The body is a JSON object, or empty."))
    played = body.get("as", handset) if isinstance(body, dict) else None
    person = HANDSETS.get(played) if isinstance(played, str) else None
    if handset not in HANDSETS or person is None:
        raise Http404
    try:
        return JsonResponse({"code": issue_code(person.openid)})
    except httpx.HTTPError:
        return _refused(SimulatorAway())


@require_safe
@on_this_machine
@never_cache
def console(request: HttpRequest) -> HttpResponse:
    """Signs this browser in to the console as `?as=he-chuan`, recorded like any sign-in, and opens the first page."""
    someone = next((one for one in PEOPLE if one.key == request.GET.get("as") and one.username), None)
    person = Person.objects.filter(username=someone.username).first() if someone else None
    if person is None:
        raise Http404
    try:
        open_console_session(person=person, request=request)
    except DomainError as refusal:
        return _refused(refusal)
    return redirect("console:home")


def _refused(refusal: DomainError) -> HttpResponse:
    return JsonResponse(problem(refusal), status=refusal.status, content_type=PROBLEM_JSON)
