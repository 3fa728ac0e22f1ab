"""The phone pages at /m/: what the H5 build left, served as it is. The page itself is asked for anew each time, its hashed files never."""

import mimetypes
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils._os import safe_join
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

FOR_EVER = "public, max-age=31536000, immutable"
FOR_AN_HOUR = "public, max-age=3600"


@require_safe
@gzip_page
def index(request: HttpRequest) -> HttpResponse:
    """The phone's one page; where it was never built, a page that says how to build it (503)."""
    try:
        page = (Path(settings.PHONE_BUILD) / "index.html").read_bytes()
    except FileNotFoundError:
        return render(request, "console/phone_missing.html", status=503)
    return HttpResponse(page, content_type="text/html; charset=utf-8", headers={"Cache-Control": "no-cache"})


@require_safe
@gzip_page
def file(request: HttpRequest, name: str) -> HttpResponse:
    """A file of the build. Names below assets/ carry their content's hash and are kept for ever. Raises Http404 for anything else."""
    try:
        content = Path(safe_join(settings.PHONE_BUILD, name)).read_bytes()
    except (
        OSError,
        ValueError,
    ):  # absent, a folder, or outside the build (safe_join's SuspiciousFileOperation is answered by Django)
        raise Http404 from None
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if kind.startswith("text/") or kind.endswith(("javascript", "json")):
        kind += "; charset=utf-8"
    keep = FOR_EVER if name.startswith("assets/") else FOR_AN_HOUR
    return HttpResponse(content, content_type=kind, headers={"Cache-Control": keep})
