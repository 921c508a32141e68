from django.apps import AppConfig
from django.conf import settings

from docbook.outbox import topics

# How many mails a worker sends at once. A worker that dies may have sent all of them, and then the
# next one sends them again. For codes fewer: they are shared among the workers.
CODES_AT_ONCE, MAILS_AT_ONCE = 10, 25


class BookingsConfig(AppConfig):
    name = "bookings"

    def ready(self) -> None:
        topics.register(
            topic="otp.requested",
            task="bookings.send_code",
            queue=topics.CODES,
            # A provider of SMS may take seconds for each.
            at_once=1 if settings.CODE_CHANNEL == "sms" else CODES_AT_ONCE,
        )
        for topic, task in (
            ("appointment.confirmed", "bookings.send_confirmation"),
            ("appointment.cancelled", "bookings.send_cancellation"),
            ("appointment.moved", "bookings.send_moved"),
            ("appointment.updated", "bookings.send_updated"),
            ("appointment.reminder", "bookings.send_reminder"),
            ("times.offered", "bookings.send_other_times"),
        ):
            topics.register(topic=topic, task=task, at_once=MAILS_AT_ONCE)
        topics.register(topic="visits.outdated", task="bookings.amend_visits")
        topics.register(topic="visits.rearranged", task="bookings.rearrange_visits")
        topics.register(topic="slot.released", task="bookings.offer_released")
        topics.register(topic="waitlist.offered", task="bookings.send_offer")
