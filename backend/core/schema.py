from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes
from rest_framework import serializers

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "code": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}


class ProblemSchema(AutoSchema):
    """OpenAPI of a view: each operation also names its problem+json answer, each idempotent write its key."""

    def get_override_parameters(self) -> list[Any]:
        write = getattr(self.view, self.method.lower(), None)
        if getattr(write, "idempotent", False):
            return [OpenApiParameter("Idempotency-Key", OpenApiTypes.STR, OpenApiParameter.HEADER, required=True)]
        return []

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies = super()._get_response_bodies(direction)
        bodies.setdefault(
            "default",
            {"description": "Refused (RFC 9457)", "content": {"application/problem+json": {"schema": PROBLEM}}},
        )
        return bodies


class AnchorAnswer(serializers.Serializer[Any]):
    """Where an event stands: waiting, on_chain (committed under an index), or anchored (below the published checkpoint)."""

    event = serializers.CharField()
    state = serializers.ChoiceField(["waiting", "on_chain", "anchored"])
    chain = serializers.CharField(allow_null=True)
    index = serializers.IntegerField(allow_null=True)
    proof_url = serializers.CharField(allow_null=True)
