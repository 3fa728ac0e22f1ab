"""One tree of errors: a stable code that has its page in the docs, a status, a title. problems.py renders it (RFC 9457)."""

from typing import Any


class DomainError(Exception):
    """A rule said no. `code` is stable and documented, `field` names what to mend, `extensions` are further members."""

    code = "error"
    title = "The request was refused"
    status = 422

    def __init__(
        self,
        detail: str = "",
        *,
        field: str | None = None,
        errors: list[dict[str, str]] | None = None,
        **extensions: Any,
    ):
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = errors or ([{"field": field, "code": self.code, "detail": self.detail}] if field else [])
        self.extensions = extensions


class Malformed(DomainError):
    code, title, status = "malformed", "The request cannot be read", 400


class NotAuthenticated(DomainError):
    code, title, status = "not-authenticated", "Sign in first", 401


class Forbidden(DomainError):
    code, title, status = "forbidden", "Your role does not allow this", 403


class NotFound(DomainError):
    """Absent, or not the caller's to see: both look the same."""

    code, title, status = "not-found", "There is no such thing here", 404


class Conflict(DomainError):
    code, title, status = "conflict", "The thing is not in a state that allows this", 409


class TooLarge(DomainError):
    code, title, status = "too-large", "That is more than is taken at once", 413


class RuleBroken(DomainError):
    code, title, status = "rule-broken", "A rule of the trade forbids this", 422


class TooMany(DomainError):
    code, title, status = "too-many", "Too many attempts; wait a little", 429


class Unavailable(DomainError):
    code, title, status = "unavailable", "A service behind this does not answer; try again", 503
