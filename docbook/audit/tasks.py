"""Background work of the audit trail."""

from celery import shared_task

from docbook.audit.seals import seal_events


@shared_task(name="audit.seal")
def seal() -> None:
    seal_events()
