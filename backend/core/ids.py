"""Identifiers: UUIDv7 in the database, TypeIDs (prefix and base32) outside."""

from typing import Any
from uuid import UUID

import uuid_utils
from rest_framework import serializers
from typeid import TypeID
from typeid.errors import TypeIDException
from uuid_utils.compat import uuid7

from backend.core.errors import NotFound

PREFIXES = {
    "organisation": "org",
    "person": "per",
    "member": "mem",
    "device": "dev",
    "order": "ord",
    "despatch": "dsp",
    "receipt": "rcp",
    "amendment": "amd",
    "production": "prd",
    "waybill": "wbl",
    "invoice": "inv",
    "credit_note": "crn",
    "payment": "pay",
    "dispute": "dpt",
    "voucher": "vch",
    "upload": "upl",
    "event": "evt",
    "alert": "alr",
    "consent": "ltx",
    "session": "ses",
    "verification": "vfn",
    "invitation": "ivt",
    "delegation": "dlg",
}


def new_id() -> UUID:
    """A fresh UUIDv7: unique, and rising with time within one process."""
    return uuid7()


def to_typeid(prefix: str, value: UUID) -> str:
    """The identifier as outsiders see it: `ord_01jd...`."""
    return str(TypeID.from_uuid(uuid_utils.UUID(bytes=value.bytes), prefix))


def typed(kind: str, value: UUID) -> str:
    """As to_typeid, by the kind of thing: `typed("order", order.id)`."""
    return to_typeid(PREFIXES[kind], value)


def from_typeid(prefix: str, text: str) -> UUID:
    """The UUID inside a TypeID of that prefix. Anything else is NotFound: an identifier of another kind names nothing here."""
    try:
        found = TypeID.from_string(text)
    except (TypeIDException, ValueError, AttributeError, TypeError):
        raise NotFound() from None
    if found.prefix != prefix:
        raise NotFound()
    return UUID(str(found.uuid))


class TypeIdField(serializers.Field[UUID, Any, str, Any]):
    """A TypeID on the wire, a UUID inside. A malformed one is a field error of code `invalid`."""

    default_error_messages = {"invalid": "Not an identifier of the kind “{prefix}”."}

    def __init__(self, prefix: str, **kwargs: Any) -> None:
        self.prefix = prefix
        super().__init__(**kwargs)

    def to_internal_value(self, data: object) -> UUID:
        try:
            return from_typeid(self.prefix, str(data))
        except NotFound:
            self.fail("invalid", prefix=self.prefix)

    def to_representation(self, value: UUID) -> str:
        return to_typeid(self.prefix, value)
