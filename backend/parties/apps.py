from django.apps import AppConfig


class PartiesConfig(AppConfig):
    name = "backend.parties"
    label = "parties"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django_structlog.signals import bind_extra_request_metadata

        from backend.core.sealed import sealed
        from backend.parties import schema  # noqa: F401 - the schema's extensions register themselves
        from backend.parties.models import Delegation, OrganisationVerification
        from backend.parties.origins import log_caller
        from backend.parties.services.delegations import delegation_document
        from backend.parties.services.organisations import verification_facts

        bind_extra_request_metadata.connect(log_caller)
        sealed(Delegation, delegation_document, subject_type="delegation")
        sealed(OrganisationVerification, verification_facts, subject_type="verification", section="act")
