from django.apps import AppConfig


class PartiesConfig(AppConfig):
    name = "backend.parties"
    label = "parties"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django_structlog.signals import bind_extra_request_metadata

        from backend.parties import schema  # noqa: F401 - the schema's extensions register themselves
        from backend.parties.origins import log_caller

        bind_extra_request_metadata.connect(log_caller)
