"""What patient and practice have agreed, kept with the hold and later with its appointment.

The tables of clinics and visit types describe new offers. A held or booked visit reads the agreed
values and never those tables.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import models
from django.utils.translation import gettext_lazy as _

from doctors.models import Clinic, Doctor, Mode
from doctors.models.places import map_url_of, written_address


@dataclass(frozen=True)
class Place:
    """Where a visit is. The phone number is the clinic's current one: an old number would
    not ring.
    """

    name: str
    street: str
    postcode: str
    city: str
    country: str
    directions: str
    time_zone: str
    phone: str

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def address(self) -> str:
        return written_address(self)

    @property
    def map_url(self) -> str:
        return map_url_of(self)


@dataclass(frozen=True)
class AgreedVisit:
    """What the visit is for, its length, how the two meet, and the price."""

    id: int
    name: str
    mode: str
    minutes: int
    price_cents: int
    currency: str

    def get_mode_display(self) -> str:
        return str(Mode(self.mode).label)


class Agreed(models.Model):
    """The database's functions fill the columns; a trigger fills them for rows without values.

    The length of the visit follows from `starts_at` and `ends_at`.
    """

    visit_name = models.CharField(_("visit type"), max_length=80, db_default="")
    mode = models.CharField(_("mode"), max_length=10, choices=Mode.for_visits(), db_default="")
    price_cents = models.PositiveIntegerField(_("price in cents"), db_default=0)
    currency = models.CharField(_("currency"), max_length=3, db_default="")
    place_name = models.CharField(_("name of the clinic"), max_length=120, db_default="")
    street = models.CharField(_("street"), max_length=160, db_default="")
    postcode = models.CharField(_("postcode"), max_length=16, blank=True, db_default="")
    city = models.CharField(_("city"), max_length=80, db_default="")
    country = models.CharField(_("country"), max_length=2, db_default="")
    directions = models.CharField(_("directions"), max_length=160, blank=True, db_default="")
    time_zone = models.CharField(_("time zone"), max_length=64, db_default="")

    # For every model with these columns.
    doctor: "models.ForeignKey[Doctor, Doctor]"
    clinic: "models.ForeignKey[Clinic, Clinic]"
    visit_type_id: int
    starts_at: "models.DateTimeField[datetime, datetime]"
    ends_at: "models.DateTimeField[datetime, datetime]"

    class Meta:
        abstract = True

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def duration(self) -> timedelta:
        length: timedelta = self.ends_at - self.starts_at
        return length

    @property
    def changeable_until(self) -> datetime:
        """From this instant on, its patient can no longer move or cancel it.

        Counts elapsed minutes, not wall-clock time. In the night when clocks change, a day before
        is 23 or 25 hours on the wall and 24 hours here.
        """
        return self.starts_at - timedelta(minutes=self.doctor.change_notice_minutes)

    @property
    def address(self) -> str:
        return written_address(self)

    @property
    def place(self) -> Place:
        return Place(
            name=self.place_name,
            street=self.street,
            postcode=self.postcode,
            city=self.city,
            country=self.country,
            directions=self.directions,
            time_zone=self.time_zone,
            phone=self.clinic.phone,
        )

    @property
    def agreed(self) -> AgreedVisit:
        return AgreedVisit(
            id=self.visit_type_id,
            name=self.visit_name,
            mode=self.mode,
            minutes=int(self.duration.total_seconds() // 60),
            price_cents=self.price_cents,
            currency=self.currency,
        )


# The columns that identify a place or a visit type.
PLACE = ("place_name", "street", "postcode", "city", "country", "directions", "time_zone")
AGREED = ("visit_name", "mode", "price_cents", "currency", *PLACE)


def says_what_is_agreed() -> models.Q:
    """The condition of the rows' constraints. Fields that a place may lack are not checked."""
    modes = [value for value, _label in Mode.for_visits()]
    return ~models.Q(visit_name="") & ~models.Q(time_zone="") & models.Q(mode__in=modes)
