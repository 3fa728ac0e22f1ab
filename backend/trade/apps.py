from django.apps import AppConfig


class TradeConfig(AppConfig):
    name = "backend.trade"
    label = "trade"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Says to evidence what a voucher may be attached to, and which rows the ledger vouches for."""
        from backend.core import events
        from backend.core.sealed import sealed
        from backend.evidence import subjects
        from backend.trade import documents, selectors
        from backend.trade.models import (
            Despatch,
            DocumentVersion,
            Milestone,
            OrderAmendment,
            ProductionOrder,
            PurchaseOrder,
            Receipt,
            Signature,
        )
        from backend.trade.services.acts import signature_section
        from backend.trade.services.despatches import milestone_section
        from backend.trade.services.versions import VERSION_EVENTS, check_version, version_section

        events.guard(check_version)
        subjects.register("order", prefix="ord", resolve=selectors.order_subject)
        subjects.register("despatch", prefix="dsp", resolve=selectors.despatch_subject)
        subjects.register("receipt", prefix="rcp", resolve=selectors.receipt_subject)
        subjects.register("production", prefix="prd", resolve=selectors.production_subject)
        sealed(
            PurchaseOrder,
            documents.order_document,
            subject_type="order",
            derived=DERIVED["order"],
            related=("buyer", "seller"),
            lists=("lines__fulfils",),
        )
        sealed(
            Despatch,
            documents.despatch_document,
            subject_type="despatch",
            derived=DERIVED["despatch"],
            related=("order__buyer", "order__seller", "end_order__buyer", "end_order__seller", "seller", "carrier"),
            lists=("lines__order_line", "lines__end_line", "lines__production"),
        )
        sealed(
            Despatch,
            documents.despatch_supply,
            subject_type="despatch",
            section="supply",
            derived=DERIVED["despatch_supply"],
            related=("order__buyer",),
            lists=("lines__order_line",),
        )
        sealed(
            Receipt,
            documents.receipt_document,
            subject_type="receipt",
            derived=DERIVED["receipt"],
            related=("order__buyer", "despatch", "organisation"),
            lists=("lines__despatch_line",),
        )
        sealed(
            Receipt,
            documents.receipt_circumstances,
            subject_type="receipt",
            section="circumstances",
            derived=DERIVED["receipt_circumstances"],
        )
        sealed(
            Signature,
            signature_section,
            section="act",
            event_field="event_id",
            types={
                "order.signed",
                "order.confirmed",
                "order.amended",
                "order.cancelled",
                "amendment.proposed",
                "receipt.signed",
            },
            derived=DERIVED["signature"],
        )
        sealed(
            Milestone,
            milestone_section,
            section="act",
            event_field="event_id",
            types={"despatch.milestone"},
            derived=DERIVED["milestone"],
        )
        sealed(
            OrderAmendment,
            documents.amendment_document,
            subject_type="amendment",
            derived=DERIVED["amendment"],
        )
        sealed(
            ProductionOrder,
            documents.production_document,
            subject_type="production",
            derived=DERIVED["production"],
            related=("factory", "order__buyer", "order_line"),
        )
        sealed(
            DocumentVersion,
            version_section,
            event_field="event_id",
            types=VERSION_EVENTS,
            derived=DERIVED["version"],
        )


# A receipt stands in two sections: what both parties may see, and what the signer's side alone may.
RECEIPT_CIRCUMSTANCES = (
    "device",
    "location_given",
    "precision_class",
    "datum",
    "accuracy_m",
    "age_s",
    "distance_m",
    "within",
    "simulated",
)
RECEIPT_FACTS = (
    "id",
    "receipt_no",
    "order",
    "despatch",
    "version",
    "state",
    "organisation",
    "signer_member",
    "assurance",
    "total_fen",
    "digest",
    "captured_at",
    "signed_at",
)
# What no section holds: found again from other rows, or kept for search alone.
DERIVED = {
    "order": ("order_key", "state", "digest", "issued_by", "issued_at", "rejection_reason", "cancellation_reason"),
    "amendment": ("digest", "state", "refusal_reason", "closed_at"),
    "despatch": ("despatch_key", "state", "digest", "driver", "despatched_by", "end_order", "end_version"),
    "despatch_supply": (
        "id",
        "despatch_no",
        "despatch_key",
        "seller",
        "end_order",
        "end_version",
        "version",
        "state",
        "carrier",
        "driver",
        "plate_no",
        "waybill_no",
        "packages",
        "digest",
        "despatched_by",
        "despatched_at",
    ),
    "receipt": ("digest", *RECEIPT_CIRCUMSTANCES),
    "receipt_circumstances": RECEIPT_FACTS,
    "signature": ("id", "event_id"),
    "milestone": ("id", "received_at", "event_id"),
    "production": ("production_key", "state", "digest", "planned_by", "cancellation_reason"),
    "version": ("id", "order", "subject_type", "subject_id", "version", "digest", "reason", "at", "event_id"),
}
