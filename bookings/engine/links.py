"""Addresses of holds: the next step, and the link of an offer."""

from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from bookings.models import Hold, HoldState, RearrangedVisit
from docbook.errors import NotFound

SALT = "bookings.offer"
OTHER_TIMES_SALT = "bookings.other-times"


def offer_token(offer: Hold) -> str:
    """Goes into the mail of an offer. It names the offer but no person, and opens only what the
    offer allows. While the time is held, the holder can take it; later the page says what happened
    to it.
    """
    return Signer(salt=SALT).sign(offer.pk.hex)


def offer_url(offer: Hold) -> str:
    path = reverse("bookings:offer", args=[offer_token(offer)])
    return f"{settings.SITE_URL}{path}"


def read_offer_token(token: str) -> UUID:
    """The id of the offer. Raises NotFound for anything that we have not signed."""
    try:
        return UUID(hex=Signer(salt=SALT).unsign(token))
    except (BadSignature, ValueError) as error:
        raise NotFound from error


def other_times_token(item: RearrangedVisit) -> str:
    """Goes into the mail that offers other times for a visit. It names no person, and opens only
    what that mail offers.
    """
    return Signer(salt=OTHER_TIMES_SALT).sign(str(item.pk))


def other_times_url(item: RearrangedVisit) -> str:
    path = reverse("bookings:other_times", args=[other_times_token(item)])
    return f"{settings.SITE_URL}{path}"


def read_other_times_token(token: str) -> int:
    """The id of the item. Raises NotFound for anything that we have not signed."""
    try:
        return int(Signer(salt=OTHER_TIMES_SALT).unsign(token))
    except (BadSignature, ValueError) as error:
        raise NotFound from error


def present_step(hold: Hold) -> str:
    """Where somebody continues with a time that they hold or have confirmed. A waitlist offer needs
    neither details nor a code, and has its own page.
    """
    if hold.state == HoldState.CONFIRMED:
        return reverse("bookings:appointment", args=[hold.pk])
    if hold.waitlist_entry_id is not None:
        return reverse("bookings:offer", args=[offer_token(hold)])
    step = "bookings:code" if hold.code_sent_at else "bookings:details"
    return reverse(step, args=[hold.pk])
