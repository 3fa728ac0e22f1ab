"""What drf-spectacular must be told about this room's and the kernel's own classes."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from drf_spectacular.utils import Direction


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "backend.parties.auth.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return build_bearer_security_scheme_object(header_name="Authorization", token_prefix="Token")  # noqa: S106 - a word of the header


class TypeIdSchema(OpenApiSerializerFieldExtension):
    target_class = "backend.core.ids.TypeIdField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{self.target.prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$"}
