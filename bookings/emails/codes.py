"""The mail with a code."""

from django.conf import settings

from bookings.codes import derive
from bookings.emails.letter import letter
from bookings.models import Hold
from docbook.notify.email import send_email


def code_of(hold: Hold) -> str:
    """Derived when it is sent: it is kept nowhere."""
    return derive(key=settings.OTP_KEYS[0], hold_id=hold.pk, resend=hold.otp_resends)


def send_code(hold: Hold, *, message_id: int) -> None:
    """Raises OSError or SMTPException.

    Nothing that was typed stands in it: nobody has proved yet that the address is theirs.
    """
    code = code_of(hold)
    context = {
        "code": code,
        "code_spaced": f"{code[:3]} {code[3:]}",
        "expires_at": hold.expires_at,
        "zone": hold.time_zone,
        "doctor": hold.doctor,
        "starts_at": hold.starts_at,
        "is_move": hold.replaces is not None,
    }
    name = f"code-{hold.pk}-{hold.otp_resends}"
    send_email(letter("code", to=hold.email, context=context, name=name), message_id=message_id)
