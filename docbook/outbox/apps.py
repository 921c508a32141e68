from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "docbook.outbox"
    verbose_name = "Outbox"
