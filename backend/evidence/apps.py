from django.apps import AppConfig


class EvidenceConfig(AppConfig):
    name = "backend.evidence"
    label = "evidence"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from backend.core import events, metrics
        from backend.core.sealed import sealed
        from backend.evidence import refusals
        from backend.evidence.anchoring import drain
        from backend.evidence.documents import voucher_document
        from backend.evidence.models import Voucher
        from backend.evidence.readings import readings
        from backend.evidence.selectors import ledger_origin
        from backend.parties.selectors import register_supply_origin

        events.follow("anchoring", drain)
        metrics.source(readings)
        metrics.source(refusals.readings)
        refusals.show_on_health_page()
        sealed(Voucher, voucher_document, subject_type="voucher", derived={"upload", "event_id"}, related=("file",))
        register_supply_origin(lambda: ledger_origin("supply"))
