"""Clinics and doctors of the demo, with what they offer and when they work."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from bookings.demo.cast import FEATURED, FeaturedDoctor
from bookings.demo.hours import SLOT_LENGTHS, Hours, draw_hours
from bookings.demo.medicine import FIELDS, VIDEO, Field, Reason
from bookings.demo.names import PersonName, draw_name
from bookings.demo.people import draw_digits
from bookings.demo.places import CITIES, COUNTRIES, DIRECTIONS, City
from doctors.models import AvailabilityRule, Clinic, Doctor, Specialty, VisitType

DOCTORS_A_CLINIC = 6
_HOME = CITIES[0]
_OTHER_LANGUAGES = ("ar", "de", "en", "es", "fr", "hi", "it", "nl", "pl", "pt", "sw", "tr", "uk")


@dataclass(frozen=True, kw_only=True)
class Practice:
    """A doctor who is about to be, with everything that will point at them."""

    doctor: Doctor
    city: City
    reasons: list[VisitType]
    hours: list[Hours]


def add_practices(*, count: int, days: int, rng: Random, today: date) -> list[Practice]:
    """Specialties, clinics and `count` doctors with their visit types and weekly rules."""
    Specialty.objects.bulk_create(_specialty(field) for field in FIELDS)
    specialties = {specialty.slug: specialty for specialty in Specialty.objects.all()}
    clinics = _Clinics(rng)
    practices = list(_draw_practices(rng, count, days=days, clinics=clinics, fields=specialties))
    Clinic.objects.bulk_create(clinics.all)
    Doctor.objects.bulk_create([_with_clinic(practice.doctor) for practice in practices])
    VisitType.objects.bulk_create(
        _owned(reason, practice.doctor) for practice in practices for reason in practice.reasons
    )
    AvailabilityRule.objects.bulk_create(_rules(practices, valid_from=today - timedelta(days=60)))
    return practices


class _Clinics:
    """The clinics so far; a new one is opened when those of a city are full."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._newest: dict[City, Clinic] = {}
        self._places_left: dict[City, int] = {}
        self._by_address: dict[tuple[str, str], Clinic] = {}
        self.all: list[Clinic] = []

    def place_in(self, city: City) -> Clinic:
        if not self._places_left.get(city):
            self._newest[city] = self._open(city)
            self._places_left[city] = self._rng.randint(3, 2 * DOCTORS_A_CLINIC - 3)
        self._places_left[city] -= 1
        return self._newest[city]

    def at(self, featured: FeaturedDoctor) -> Clinic:
        place = featured.clinic
        key = (place.name, place.street)
        if key not in self._by_address:
            self._by_address[key] = self._add(_HOME, **place._asdict())
        return self._by_address[key]

    def _open(self, city: City) -> Clinic:
        country, rng = COUNTRIES[city.country], self._rng
        street, number = rng.choice(city.streets), str(rng.randint(1, 180))
        first, second = (number, street) if country.number_first else (street, number)
        return self._add(
            city,
            name=rng.choice(country.clinic_names).format(rng.choice(city.districts)),
            street=f"{first} {second}",
            postcode=draw_digits(rng, city.postcode),
            directions=rng.choice(DIRECTIONS),
        )

    def _add(self, city: City, **fields: str) -> Clinic:
        clinic = Clinic(
            city=city.name,
            country=city.country,
            time_zone=city.time_zone,
            phone=draw_digits(self._rng, city.phone),
            **fields,
        )
        self.all.append(clinic)
        return clinic


def _draw_practices(
    rng: Random, count: int, *, days: int, clinics: _Clinics, fields: dict[str, Specialty]
) -> Iterator[Practice]:
    taken: set[str] = set()
    for number in range(count):
        if number < len(FEATURED):
            practice = _featured_practice(rng, FEATURED[number], clinics=clinics)
        else:
            practice = _drawn_practice(rng, clinics=clinics, taken=taken)
        field, doctor = _FIELD_OF[practice.doctor.slug], practice.doctor
        doctor.specialty, doctor.horizon_days = fields[field], days
        taken.add(doctor.slug)
        yield practice
