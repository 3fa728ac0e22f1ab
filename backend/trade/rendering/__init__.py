"""How documents leave by the API: the canonical document, its digest, where it stands in the ledger, and what the viewer may do next."""

from backend.trade.rendering.goods import (
    DRIVER_ACTIONS,
    Body,
    amendment_body,
    amendment_summary,
    carrier_body,
    counted_body,
    despatch_body,
    despatch_summary,
    device_body,
    newest_events,
    order_body,
    order_summary,
    organisation_body,
    person_body,
    place_body,
    receipt_body,
    receipt_summary,
    signature_body,
    signed_receipt_body,
    signing_body,
)
from backend.trade.rendering.productions import (
    production_body,
    production_summary,
)
from backend.trade.rendering.versions import (
    version_bodies,
)

__all__ = [
    "DRIVER_ACTIONS",
    "Body",
    "amendment_body",
    "amendment_summary",
    "carrier_body",
    "counted_body",
    "despatch_body",
    "despatch_summary",
    "device_body",
    "newest_events",
    "order_body",
    "order_summary",
    "organisation_body",
    "person_body",
    "place_body",
    "production_body",
    "production_summary",
    "receipt_body",
    "receipt_summary",
    "signature_body",
    "signed_receipt_body",
    "signing_body",
    "version_bodies",
]
