"""The text messages of a booking."""

from django.utils.translation import gettext as _

from bookings.models import Hold
from bookings.notifications.letters.codes import code_of
from docbook.notify.sms import Text
from doctors.templatetags.clinic_time import clock


def code(hold: Hold, *, to: str) -> Text:
    """Contains no doctor and no time of the visit: anyone may look at a phone."""
    words = _("%(code)s is your DocBook code. Valid until %(until)s. Do not share it.") % {
        "code": code_of(hold),
        "until": clock(hold.expires_at, hold.time_zone),
    }
    return Text(to, words)
