from importlib import import_module

from django.apps import AppConfig

from docbook.outbox import topics


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        topics.register(topic="account.mail", task="accounts.send_mail", queue=topics.CODES)
        # drf-spectacular finds extensions by their classes having been defined.
        import_module("accounts.schema")
        import_module("accounts.account_events")
