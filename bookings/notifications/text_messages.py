"""The text messages of a booking, and those of visits whose patients have no e-mail address."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bookings.models import Hold
from bookings.notifications.letters.codes import code_of
from bookings.notifications.selectors import Told
from docbook.notify.phone_numbers import international
from docbook.notify.sms import Text
from doctors.templatetags.clinic_time import clock, day_medium

BOOKED = gettext_lazy("Booked")
MOVED = gettext_lazy("Moved")
CHANGED = gettext_lazy("Changed")
CANCELLED = gettext_lazy("Cancelled")
REMINDER = gettext_lazy("Reminder")


def code(hold: Hold, *, to: str) -> Text:
    """Contains no doctor and no time of the visit: anyone may look at a phone."""
    words = _("%(code)s is your DocBook code. Valid until %(until)s. Do not share it.") % {
        "code": code_of(hold),
        "until": clock(hold.expires_at, hold.time_zone),
    }
    return Text(to, words)


def visit(told: Told, *, what: str | Promise) -> Text:
    """What has happened, when and where. Names no doctor and no reason: anyone may look at a
    phone.
    """
    appointment = told.appointment
    words = _("%(what)s: %(day)s, %(time)s, %(place)s.") % {
        "what": what,
        "day": day_medium(appointment.starts_at, appointment.zone),
        "time": clock(appointment.starts_at, appointment.zone),
        "place": f"{appointment.place_name}, {appointment.city}",
    }
    if phone := appointment.clinic.phone:
        words = f"{words} {_('Questions? Call %(phone)s.') % {'phone': phone}}"
    return Text(international(told.contact.phone), words)
