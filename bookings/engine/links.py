"""Addresses of what is held: its next step, and the link of an offer."""

from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from bookings.models import Hold
from docbook.errors import NotFound

SALT = "bookings.offer"


def offer_token(offer: Hold) -> str:
    """Stands in the mail of an offer. It names the offer and nobody, and opens what the offer
    allows: as long as the time is held it can be taken; later it says what became of it.
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


def present_step(hold: Hold) -> str:
    """Where somebody who comes back to a time that waits goes on."""
    step = "bookings:code" if hold.code_sent_at else "bookings:details"
    return reverse(step, args=[hold.pk])
