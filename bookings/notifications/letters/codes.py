"""The mail with a code."""

from django.conf import settings

from bookings.holding.codes import derive, derive_long
from bookings.holding.selectors import wants_long_code
from bookings.models import Hold
from bookings.notifications.letters.letter import letter
from docbook.notify.letters import Letter


def code_of(hold: Hold) -> str:
    """Derived when the mail is sent, and stored nowhere."""
    return derive(key=settings.OTP_KEYS[0], hold_id=hold.pk, resend=hold.otp_resends)


def code(hold: Hold) -> Letter:
    """Contains nothing that was typed: nobody has proved yet that the address is theirs."""
    written, spaced = _written(hold)
    context = {
        "code": written,
        "code_spaced": spaced,
        "expires_at": hold.expires_at,
        "zone": hold.time_zone,
        "doctor": hold.doctor,
        "starts_at": hold.starts_at,
        "is_move": hold.replaces is not None,
    }
    name = f"code-{hold.pk}-{hold.otp_resends}"
    return letter("code", to=hold.email, context=context, name=name)


def _written(hold: Hold) -> tuple[str, str]:
    """The code to copy, and the code to read."""
    if wants_long_code(hold):
        long = derive_long(key=settings.OTP_KEYS[0], hold_id=hold.pk, resend=hold.otp_resends)
        spaced = f"{long[:4]} {long[4:8]} {long[8:]}"
        return spaced, spaced
    short = code_of(hold)
    return short, f"{short[:3]} {short[3:]}"
