"""A worker without a broker: it handles the waiting messages of the outbox in order."""

from celery import current_app

from docbook.outbox import topics
from docbook.outbox.models import OutboxMessage


def receive(*names: str) -> list[OutboxMessage]:
    """Handles everything that waits, or only these topics; raises if a message fails."""
    current_app.loader.import_default_modules()
    waiting = OutboxMessage.objects.filter(done_at=None)
    told = list((waiting.filter(topic__in=names) if names else waiting).order_by("id"))
    for message in told:
        to = topics.receiver_of(message.topic, name=message.receiver)
        current_app.tasks[to.task]([message.pk, message.handed_out])
        message.refresh_from_db()
        assert message.done_at is not None, (message.topic, message.last_error)
    return told
