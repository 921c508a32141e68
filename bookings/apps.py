from django.apps import AppConfig

from docbook.outbox import topics


class BookingsConfig(AppConfig):
    name = "bookings"

    def ready(self) -> None:
        topics.register(topic="otp.requested", task="bookings.send_code", queue=topics.CODES)
        topics.register(topic="appointment.confirmed", task="bookings.send_confirmation")
        topics.register(topic="appointment.cancelled", task="bookings.send_cancellation")
        topics.register(topic="appointment.moved", task="bookings.send_moved")
        topics.register(topic="appointment.updated", task="bookings.send_updated")
        topics.register(topic="visits.outdated", task="bookings.amend_visits")
        topics.register(topic="slot.released", task="bookings.offer_released")
        topics.register(topic="waitlist.offered", task="bookings.send_offer")
        topics.register(topic="appointment.reminder", task="bookings.send_reminder")
