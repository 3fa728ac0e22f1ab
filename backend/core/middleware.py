from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseForbidden,
    HttpResponseNotFound,
    HttpResponseServerError,
    JsonResponse,
)
from django.shortcuts import render

from backend.core.errors import DomainError, Forbidden, NotFound, TooLarge
from backend.core.problems import PROBLEM_JSON, problem

BODY_LIMIT = 2 * 1024 * 1024
View = Callable[[HttpRequest], HttpResponse]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
# styles: echarts and the phone's framework set style attributes; nothing comes from a foreign host
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' ws: wss:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)


class InternalError(DomainError):
    code, title, status = "internal-error", "Something broke here; it is logged", 500


def _problem(error: DomainError) -> JsonResponse:
    return JsonResponse(problem(error), status=error.status, content_type=PROBLEM_JSON)


def _fits(length: str) -> bool:
    return len(length) < 20 and length.isascii() and length.isdecimal() and int(length) <= BODY_LIMIT


def _too_large() -> JsonResponse:
    return _problem(TooLarge(f"A request carries at most {BODY_LIMIT} bytes.", limit=BODY_LIMIT))


def bounded_body(get_response: View) -> View:
    """Refuses a body that says it is over 2 MB (uploads come in parts of 1 MB), under any server."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request) if _fits(request.META.get("CONTENT_LENGTH") or "0") else _too_large()

    return middleware


class _BodyTooLarge(Exception):
    pass


class BoundedBody:
    """ASGI: refuses a body over 2 MB before it is kept anywhere, one that says so at once, one in chunks when it has become so.

    Django keeps a whole body on the disk before its first middleware runs, and of a body in chunks it knows no length.
    """

    def __init__(self, application: Callable[[Message, Receive, Send], Awaitable[None]]) -> None:
        self.application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serves one request (ASGI 3, scope `http`)."""
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > BODY_LIMIT:
                raise _BodyTooLarge
            return message

        if not all(_fits(value.decode("latin-1")) for name, value in scope["headers"] if name == b"content-length"):
            return await _refuse(send)
        try:
            return await self.application(scope, counted, send)
        except _BodyTooLarge:
            return await _refuse(send)


async def _refuse(send: Send) -> None:
    response = _too_large()
    headers = [
        (b"content-type", PROBLEM_JSON.encode()),
        (b"content-length", str(len(response.content)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.content})


def content_security_policy(get_response: View) -> View:
    """Every page runs this house's scripts only."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.setdefault("Content-Security-Policy", POLICY)
        return response

    return middleware


def _wants_page(request: HttpRequest) -> bool:
    return not request.path.startswith(("/api/", "/ledger/", "/demo/")) and "text/html" in request.headers.get(
        "Accept", ""
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404 for pages as a page, for the API as a problem."""
    if _wants_page(request):
        return HttpResponseNotFound(render(request, "not_found.html").content)
    return _problem(NotFound())


def page_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that was opened before somebody signed in or out in this browser. `reason` is for developers, and stays here."""
    if _wants_page(request):
        return HttpResponseForbidden(render(request, "page_expired.html").content)
    return _problem(Forbidden("The form's token is not this session's."))


def internal_error(request: HttpRequest) -> HttpResponse:
    """500 without a word about what broke."""
    if _wants_page(request):
        return HttpResponseServerError(render(request, "internal_error.html").content)
    return _problem(InternalError())
