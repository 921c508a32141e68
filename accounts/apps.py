from importlib import import_module

from django.apps import AppConfig, apps
from django.utils.translation import gettext_lazy as _

from docbook.outbox import topics


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        # In the admin, next to our own "Accounts".
        apps.get_app_config("account").verbose_name = _("E-mail addresses")
        apps.get_app_config("mfa").verbose_name = _("Second steps")
        topics.register(topic="account.mail", task="accounts.send_mail", queue=topics.CODES)
        # drf-spectacular finds an extension once its class is defined.
        import_module("accounts.schema")
        import_module("accounts.account_events")
        import_module("accounts.first_proof")
