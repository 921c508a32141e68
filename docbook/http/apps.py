from django.apps import AppConfig
from django.contrib.staticfiles import apps as static_files

from docbook.http.voice import use_our_voice


class HttpConfig(AppConfig):
    default = True
    name = "docbook.http"
    verbose_name = "HTTP"

    def ready(self) -> None:
        use_our_voice()


class StaticFilesConfig(static_files.StaticFilesConfig):
    """Leaves out the files of pages that we do not have, and the scripts beside our own files."""

    ignore_patterns = (
        *static_files.StaticFilesConfig.ignore_patterns,
        *("redoc", "rest_framework", "*.py"),
    )
