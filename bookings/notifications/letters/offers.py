"""The mail that offers a time to somebody on the waitlist."""

from django.utils.translation import gettext as _

from bookings.engine.links import offer_url
from bookings.models import Hold
from bookings.notifications.letters.letter import letter
from docbook.notify.email import send_email


def send_offer(offer: Hold, *, message_id: int) -> None:
    """Contains the link that takes the time or lets it go. Raises OSError or SMTPException."""
    is_earlier = offer.replaces is not None
    context = {
        "status": _("An earlier time is held for you")
        if is_earlier
        else _("A time is held for you"),
        "is_earlier": is_earlier,
        "offer": offer,
        "zone": offer.time_zone,
        "offer_url": offer_url(offer),
    }
    mail = letter("offer", to=offer.email, context=context, name=f"offer-{offer.pk}")
    send_email(mail, message_id=message_id)
