from django.apps import AppConfig

from docbook.observability import logs


class ObservabilityConfig(AppConfig):
    name = "docbook.observability"
    verbose_name = "Observability"

    def ready(self) -> None:
        logs.configure()
