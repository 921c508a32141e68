from importlib import import_module

from django.apps import AppConfig


class DoctorsConfig(AppConfig):
    name = "doctors"

    def ready(self) -> None:
        import_module("doctors.roles")
