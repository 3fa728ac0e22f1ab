"""One handler: every refusal leaves as RFC 9457 problem+json."""

from typing import Any

from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import ExceptionHandler
from drf_standardized_errors.types import ErrorResponse, ExceptionHandlerContext
from rest_framework.response import Response

from backend.core.errors import DomainError

PROBLEM_JSON = "application/problem+json"
PROBLEM_BASE = "/docs/errors#"


def problem(error: DomainError) -> dict[str, Any]:
    """The body of a problem+json answer (RFC 9457 section 3.1; `errors` and the rest are extension members)."""
    return {
        "type": f"{PROBLEM_BASE}{error.code}",
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "detail": error.detail,
        "errors": error.errors,
        **error.extensions,
    }


class ProblemFormatter(ExceptionFormatter):
    """What the framework itself refuses (parsing, validation, authentication, throttling), in the same form."""

    def format_error_response(self, error_response: ErrorResponse) -> dict[str, Any]:
        status = self.exc.status_code
        codes = {
            400: "malformed",
            401: "not-authenticated",
            403: "forbidden",
            404: "not-found",
            405: "method-not-allowed",
        }
        codes |= {406: "not-acceptable", 415: "unsupported-media-type", 429: "too-many", 500: "internal-error"}
        code = "invalid" if error_response.type == "validation_error" else codes.get(status, "malformed")
        errors: list[dict[str, Any]] = [
            {"field": error.attr, "code": str(error.code).replace("_", "-"), "detail": str(error.detail)}
            for error in error_response.errors
        ]
        return {
            "type": f"{PROBLEM_BASE}{code}",
            "title": "Some fields are not as they should be" if code == "invalid" else errors[0]["detail"],
            "status": status,
            "code": code,
            "detail": "; ".join(
                f"{error['field']}: {error['detail']}" if error["field"] else error["detail"] for error in errors[:5]
            ),
            "errors": [error for error in errors if error["field"]],
        }


def exception_handler(exc: Exception, context: ExceptionHandlerContext) -> Response | None:
    """DRF's exception handler: a DomainError as it says, anything else through drf-standardized-errors; never a traceback."""
    if isinstance(exc, DomainError):
        headers = {"Retry-After": str(exc.extensions["retry_after"])} if "retry_after" in exc.extensions else None
        return Response(problem(exc), status=exc.status, headers=headers, content_type=PROBLEM_JSON)
    response = ExceptionHandler(exc, context).run()
    if response is not None:
        response.content_type = PROBLEM_JSON
    return response
