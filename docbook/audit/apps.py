from importlib import import_module

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "docbook.audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        import_module("docbook.audit.checks")
