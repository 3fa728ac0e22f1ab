from django.apps import AppConfig


class RiskConfig(AppConfig):
    name = "backend.risk"
    label = "risk"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from backend.core import metrics
        from backend.risk import handlers, selectors

        handlers.register()
        metrics.source(selectors.readings)
