"""The mail that offers a time to somebody on the waitlist."""

from django.utils.translation import gettext as _

from bookings.engine.links import offer_url
from bookings.models import Hold
from bookings.notifications.letters.letter import letter
from docbook.notify.letters import Letter


def offer_of(hold: Hold) -> Letter:
    """Contains the link that takes the time or lets it go."""
    is_earlier = hold.replaces is not None
    context = {
        "status": _("An earlier time is held for you")
        if is_earlier
        else _("A time is held for you"),
        "is_earlier": is_earlier,
        "offer": hold,
        "zone": hold.time_zone,
        "offer_url": offer_url(hold),
    }
    return letter("offer", to=hold.email, context=context, name=f"offer-{hold.pk}")
