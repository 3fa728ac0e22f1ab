from django.apps import AppConfig


class PartiesConfig(AppConfig):
    name = "backend.parties"
    label = "parties"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from backend.parties import schema  # noqa: F401 - the schema's extensions register themselves
