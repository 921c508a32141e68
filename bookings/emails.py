"""The mails of a booking: text and HTML, each with a Message-ID that a repeat does not change."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from bookings.calendar_file import appointment_calendar
from bookings.codes import derive
from bookings.models import Appointment, Hold
from bookings.presentation import view_of
from bookings.selectors.appointments import contact_of
from bookings.states import PRACTICE
from docbook.notify.email import send_email


def send_code(hold: Hold, *, message_id: int) -> None:
    """The code is derived here, at the last moment. Raises OSError or SMTPException.

    Nothing that was typed stands in it: nobody has proved yet that the address is theirs.
    """
    code = derive(key=settings.OTP_KEYS[0], hold_id=hold.pk, resend=hold.otp_resends)
    context = {
        "code": code,
        "code_spaced": f"{code[:3]} {code[3:]}",
        "expires_at": hold.expires_at,
        "zone": hold.clinic.time_zone,
        "doctor": hold.doctor,
        "starts_at": hold.starts_at,
    }
    name = f"code-{hold.pk}-{hold.otp_resends}"
    mail = _message("code", to=hold.email, context=context, name=name)
    send_email(mail, message_id=message_id)


def send_confirmation(
    appointment: Appointment, *, email: str, now: datetime, message_id: int
) -> None:
    """With the visit as a calendar request. Raises OSError or SMTPException."""
    view = view_of(appointment, now=now, phone=contact_of(appointment).phone)
    url = settings.SITE_URL + reverse("bookings:appointment", args=[appointment.pk])
    context = {
        "appointment": view,
        "appointment_url": url,
        "map_url": view.map_url,
        "base_url": settings.SITE_URL,
    }
    name = f"confirmed-{appointment.pk}-{appointment.version}"
    message = _message("confirmed", to=email, context=context, name=name)
    invitation = appointment_calendar(
        view, version=appointment.version, now=now, url=url, method="PUBLISH"
    )
    message.attach("appointment.ics", invitation.decode(), "text/calendar; method=PUBLISH")
    send_email(message, message_id=message_id)


def send_cancellation(
    appointment: Appointment, *, email: str, now: datetime, message_id: int
) -> None:
    """Says who has called the visit off, and why. Raises OSError or SMTPException."""
    context = {
        "appointment": view_of(appointment, now=now),
        "by_practice": appointment.changed_by_kind in PRACTICE,
        "why": appointment.change_reason,
        "doctor_url": settings.SITE_URL + reverse("doctors:detail", args=[appointment.doctor.slug]),
        "base_url": settings.SITE_URL,
    }
    name = f"cancelled-{appointment.pk}-{appointment.version}"
    mail = _message("cancelled", to=email, context=context, name=name)
    send_email(mail, message_id=message_id)


def _message(
    template: str, *, to: str, context: dict[str, Any], name: str
) -> EmailMultiAlternatives:
    """Subject, text and HTML from `templates/bookings/email/<template>.*`."""
    subject, text, html = (
        render_to_string(f"bookings/email/{template}.{part}", context)
        for part in ("subject.txt", "txt", "html")
    )
    message = EmailMultiAlternatives(
        subject=" ".join(subject.split()),
        body=text,
        to=[to],
        headers={"Message-ID": f"<{name}@docbook>", "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(html, "text/html")
    return message
