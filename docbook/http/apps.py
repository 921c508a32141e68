from django.apps import AppConfig


class HttpConfig(AppConfig):
    name = "docbook.http"
    verbose_name = "HTTP"
