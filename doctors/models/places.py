"""Clinics and specialties, which patients search by."""

from typing import ClassVar, Protocol
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _


def validate_time_zone(name: str) -> None:
    """Accepts the IANA names in this machine's tz database."""
    if name not in available_timezones():
        raise ValidationError(_("This is not an IANA time zone, like Europe/Amsterdam."))


class Address(Protocol):
    """The address of a clinic, or of a place that a patient was promised."""

    @property
    def street(self) -> str: ...
    @property
    def postcode(self) -> str: ...
    @property
    def city(self) -> str: ...
    @property
    def country(self) -> str: ...


def written_address(place: Address) -> str:
    return f"{place.street}, {' '.join(filter(None, (place.postcode, place.city)))}"


def map_url_of(place: Address) -> str:
    """A search on an open map. It needs no coordinates, and our pages load nothing from there."""
    query = urlencode({"query": f"{written_address(place)}, {place.country}"})
    return f"https://www.openstreetmap.org/search?{query}"


class Specialty(models.Model):
    """A field of medicine, and the word for somebody who practises it."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    slug = models.SlugField(unique=True)
    practitioner = models.CharField(
        _("practitioner"), max_length=80, help_text=_("What the doctor is called: dermatologist.")
    )
    icon = models.CharField(_("icon"), max_length=40, default="stethoscope")

    class Meta:
        ordering: ClassVar[list[str]] = ["name", "id"]
        verbose_name = _("specialty")
        verbose_name_plural = _("specialties")

    def __str__(self) -> str:
        return self.name


class Clinic(models.Model):
    """A place with an address and its own clock."""

    name = models.CharField(_("name"), max_length=120)
    street = models.CharField(_("street"), max_length=160)
    postcode = models.CharField(_("postcode"), max_length=16, blank=True)
    city = models.CharField(_("city"), max_length=80, db_index=True)
    country = models.CharField(_("country"), max_length=2, help_text=_("ISO 3166-1 code, like NL."))
    time_zone = models.CharField(_("time zone"), max_length=64, validators=[validate_time_zone])
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    directions = models.CharField(_("directions"), max_length=160, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["name", "id"]
        verbose_name = _("clinic")
        verbose_name_plural = _("clinics")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(country__regex=r"^[A-Z]{2}$"),
                name="clinic_country_is_two_capital_letters",
                violation_error_message=_("Write the country as two capital letters, like NL."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.city}"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def address(self) -> str:
        return written_address(self)

    @property
    def map_url(self) -> str:
        return map_url_of(self)
