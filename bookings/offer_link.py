"""The link in the mail of an offer. Whoever has it has read the patient's mail.

It names the offer and nobody, and opens what the offer itself allows: as long as the time is held
it can be taken; later it says what became of it.
"""

from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from bookings.models import Hold
from docbook.errors import NotFound

SALT = "bookings.offer"


def offer_token(offer: Hold) -> str:
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
