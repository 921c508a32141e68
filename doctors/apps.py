from importlib import import_module

from django.apps import AppConfig

from docbook.outbox import topics


class DoctorsConfig(AppConfig):
    name = "doctors"

    def ready(self) -> None:
        import_module("doctors.roles")
        topics.register(
            topic="hours.changed", task="doctors.carry_out_expansion", queue=topics.UPKEEP
        )
