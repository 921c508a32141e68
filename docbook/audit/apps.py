from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "docbook.audit"
    verbose_name = "Audit"
