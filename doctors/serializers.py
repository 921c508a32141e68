"""Doctors and their times as the API shows them."""

import re
from collections.abc import Iterable
from typing import Any

from django.conf.locale import LANG_INFO
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from docbook.http.moments import DayField
from docbook.http.serializers import ChoiceField, IdField, PatternField, TextField, WholeNumberField
from docbook.http.times import local_iso
from docbook.typed_text import plain_letters
from doctors.models import Doctor
from doctors.models.schedule import Mode
from doctors.rules import VisitTime
from doctors.selectors.choices import search_choices
from doctors.selectors.search import ORDERS
from doctors.selectors.visit_types import active_visit_types
from doctors.selectors.working_places import WorkingPlaces


class PlaceOut(serializers.Serializer[Any]):
    """The clinic of a time: a doctor may work at several, each with its own clock."""

    id = IdField()
    name = serializers.CharField()
    street = serializers.CharField()
    postcode = serializers.CharField()
    city = serializers.CharField()
    timeZone = serializers.CharField(source="time_zone")  # noqa: N815 - the API's own names


class ClinicOut(serializers.Serializer[Any]):
    id = IdField()
    name = serializers.CharField()
    street = serializers.CharField()
    postcode = serializers.CharField()
    city = serializers.CharField()
    country = serializers.CharField()
    timeZone = serializers.CharField(source="time_zone")  # noqa: N815 - the API's own names
    phone = serializers.CharField()


class SpecialtyOut(serializers.Serializer[Any]):
    slug = serializers.CharField()
    name = serializers.CharField()


class VisitTypeOut(serializers.Serializer[Any]):
    id = IdField()
    name = serializers.CharField()
    mode = serializers.ChoiceField(choices=Mode.for_visits())
    minutes = serializers.IntegerField()
    priceCents = serializers.IntegerField(source="price_cents")  # noqa: N815
    currency = serializers.CharField()


class DoctorOut(serializers.Serializer[Any]):
    """A doctor, with where they work and when they are free next."""

    id = IdField()
    slug = serializers.CharField()
    name = serializers.CharField()
    specialty = SpecialtyOut()
    clinic = ClinicOut(help_text="The main clinic. The doctor may have hours elsewhere only.")
    clinics = serializers.SerializerMethodField(
        help_text="All clinics where the doctor has hours, each with its own clock."
    )
    languages = serializers.ListField(child=serializers.CharField())
    visitTypes = serializers.SerializerMethodField()  # noqa: N815
    nextFreeAt = serializers.SerializerMethodField()  # noqa: N815
    nextFreeClinic = serializers.SerializerMethodField(  # noqa: N815
        help_text="Where the next free time is: one of `clinics`."
    )

    @extend_schema_field(ClinicOut(many=True))
    def get_clinics(self, doctor: Doctor) -> list[dict[str, Any]]:
        return list(ClinicOut(self._places(doctor).clinics, many=True).data)

    @extend_schema_field(VisitTypeOut(many=True))
    def get_visitTypes(self, doctor: Doctor) -> list[dict[str, Any]]:  # noqa: N802
        return list(VisitTypeOut(active_visit_types(doctor), many=True).data)

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_nextFreeAt(self, doctor: Doctor) -> str | None:  # noqa: N802
        moment = doctor.next_free_at  # type: ignore[attr-defined]  # annotated by the selector
        clinic = self._places(doctor).next_free
        return local_iso(moment, clinic.time_zone) if moment and clinic else None

    @extend_schema_field(PlaceOut(allow_null=True))
    def get_nextFreeClinic(self, doctor: Doctor) -> dict[str, Any] | None:  # noqa: N802
        clinic = self._places(doctor).next_free
        return dict(PlaceOut(clinic).data) if clinic else None

    def _places(self, doctor: Doctor) -> WorkingPlaces:
        """The context contains the result of `working_places`."""
        places: dict[int, WorkingPlaces] = self.context["places"]
        return places[doctor.pk]


class TimeOut(serializers.Serializer[Any]):
    """A time at which a visit can start."""

    slotId = IdField(source="slot_id")  # noqa: N815
    startsAt = serializers.SerializerMethodField()  # noqa: N815
    endsAt = serializers.SerializerMethodField()  # noqa: N815
    clinic = PlaceOut(source="place")

    @extend_schema_field(OpenApiTypes.DATETIME)
    def get_startsAt(self, time: VisitTime) -> str:  # noqa: N802
        return local_iso(time.starts_at, time.place.time_zone)

    @extend_schema_field(OpenApiTypes.DATETIME)
    def get_endsAt(self, time: VisitTime) -> str:  # noqa: N802
        return local_iso(time.ends_at, time.place.time_zone)


class SearchQuery(serializers.Serializer[Any]):
    """The query of `GET doctors`. Unlike the page, the API says when a value means nothing."""

    q = TextField(required=False, max_length=80)
    specialty = serializers.SlugField(required=False, max_length=50)
    city = TextField(required=False, max_length=80)
    language = TextField(required=False, max_length=3)
    mode = ChoiceField(required=False, choices=Mode.for_visits())
    max_fee = WholeNumberField(
        required=False,
        min_value=0,
        max_value=100_000,
        help_text="In whole units of `currency`. Fees in other currencies are not compared.",
    )
    currency = PatternField(
        re.compile(r"^[A-Za-z]{3}\Z"),
        required=False,
        help_text=(
            "ISO 4217, like EUR: of `max_fee`, and of `order=fee`, where other currencies come "
            "last. Without it, the one that most of the doctors in question charge in."
        ),
        error_messages={"invalid": "Write the currency as three letters, like EUR."},
    )
    available_on = DayField(required=False)
    order = ChoiceField(required=False, choices=list(ORDERS))

    def validate_specialty(self, slug: str) -> str:
        return _known(slug, among=[each for each, _name in search_choices().specialties])

    def validate_city(self, city: str) -> str:
        return _known(city, among=search_choices().cities)

    def validate_language(self, language: str) -> str:
        """A language that nobody speaks here is valid, but finds nobody."""
        return _known(language, among=[*LANG_INFO, *search_choices().languages])

    def validate_currency(self, currency: str) -> str:
        """Any three letters are valid. The list of currencies changes, and an unused one finds
        nobody.
        """
        return currency.upper()


def _known(value: str, *, among: Iterable[str]) -> str:
    """Returns the value as it is spelled there. Raises ValidationError for an unknown one."""
    spellings = {plain_letters(each): each for each in among}
    found = spellings.get(plain_letters(value))
    if found is None:
        raise serializers.ValidationError("We know none of this name here.", code="unknown")
    return found


class DayQuery(serializers.Serializer[Any]):
    """The query of `GET doctors/{id}/slots`: a day by each clinic's clock, and a visit type."""

    date = DayField()
    visit_type = IdField(required=False)
