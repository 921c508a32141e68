from django.apps import AppConfig

from docbook.http.voice import use_our_voice


class HttpConfig(AppConfig):
    name = "docbook.http"
    verbose_name = "HTTP"

    def ready(self) -> None:
        use_our_voice()
