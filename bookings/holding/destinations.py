"""Where the code of a hold goes."""

from dataclasses import dataclass
from typing import Literal

from django.conf import settings

from bookings.models import Hold
from docbook.notify.masking import masked_email, masked_phone
from docbook.notify.phone_numbers import international


@dataclass(frozen=True)
class Destination:
    """An e-mail address, or a phone number as E.164 writes it."""

    channel: Literal["email", "sms"]
    address: str

    @property
    def masked(self) -> str:
        mask = masked_phone if self.channel == "sms" else masked_email
        return mask(self.address)


@dataclass(frozen=True)
class Recipient:
    """A patient, or a guest without `patient_id`, before they stand in a hold."""

    patient_id: int | None
    email: str
    phone: str


def destination_of(to: Hold | Recipient) -> Destination:
    """Only a signed-in patient gets an SMS. A guest's code proves that the e-mail address is theirs
    and opens its account. A code on anybody's phone must never do that.
    """
    number = international(to.phone)
    if settings.CODE_CHANNEL == "sms" and to.patient_id is not None and number:
        return Destination("sms", number)
    return Destination("email", to.email)
