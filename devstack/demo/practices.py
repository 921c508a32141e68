"""Clinics and doctors of the demo, with their visit types and hours."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from random import Random

from devstack.demo.cast import FEATURED, FeaturedClinic, FeaturedDoctor
from devstack.demo.hours import SLOT_LENGTHS, Hours, draw_hours
from devstack.demo.medicine import FIELDS, VIDEO, Field, Treatment
from devstack.demo.names import PersonName, draw_name
from devstack.demo.people import draw_digits
from devstack.demo.places import CITIES, COUNTRIES, DIRECTIONS, City
from doctors.models import (
    AvailabilityOverride,
    AvailabilityRule,
    Clinic,
    ClosedDay,
    Doctor,
    OverrideKind,
    Specialty,
    VisitType,
)
from doctors.selectors.public_holidays import public_holidays

DOCTORS_A_CLINIC = 6
MOST_TREATMENTS = 4
CONGRESS = "At a congress"
# Longer than the demo looks back.
PAST = 200
_HOME = CITIES[0]
_BY_NAME = {city.name: city for city in CITIES}
_SATURDAY = 5
_OTHER_LANGUAGES = ("ar", "de", "en", "es", "fr", "hi", "it", "nl", "pl", "pt", "sw", "tr", "uk")


@dataclass(frozen=True, kw_only=True)
class Practice:
    """A doctor with all related rows."""

    doctor: Doctor
    city: City
    visit_types: list[VisitType]
    hours: list[Hours]
    elsewhere: list[Clinic]


def add_practices(*, count: int, days: int, rng: Random, today: date) -> list[Practice]:
    """Specialties, clinics and `count` doctors with their visit types and weekly rules."""
    specialties = Specialty.objects.bulk_create([_specialty(field) for field in FIELDS])
    draw = _Draw(rng, specialties=specialties, days=days)
    practices = [draw.featured(featured) for featured in FEATURED[:count]]
    practices += [draw.any_doctor() for _ in range(count - len(practices))]
    Clinic.objects.bulk_create(draw.clinics.all)
    Doctor.objects.bulk_create([practice.doctor for practice in practices])
    VisitType.objects.bulk_create([each for one in practices for each in one.visit_types])
    valid_from = today - timedelta(days=PAST)
    AvailabilityRule.objects.bulk_create(_rules(practices, valid_from=valid_from))
    until = today + timedelta(days=days)
    ClosedDay.objects.bulk_create(_closed_days(draw.clinics, today=today, until=until))
    AvailabilityOverride.objects.bulk_create(_time_off(practices, rng=rng, today=today))
    if today.weekday() >= _SATURDAY:
        _weekend_surgery(practices[0].doctor, today=today).save()
    return practices


def _specialty(field: Field) -> Specialty:
    return Specialty(
        name=field.name, slug=field.slug, practitioner=field.practitioner, icon=field.icon
    )


def _rules(practices: list[Practice], *, valid_from: date) -> Iterator[AvailabilityRule]:
    for practice in practices:
        clinics = {clinic.name: clinic for clinic in practice.elsewhere}
        ids = {each.name: each.pk for each in practice.visit_types}
        for hours in practice.hours:
            yield AvailabilityRule(
                doctor=practice.doctor,
                clinic=clinics[hours.clinic] if hours.clinic else practice.doctor.clinic,
                weekdays=hours.weekdays,
                starts=hours.starts,
                ends=hours.ends,
                mode=hours.mode,
                visit_types=[ids[name] for name in hours.only],
                valid_from=valid_from + timedelta(weeks=hours.first_week),
                every_weeks=hours.every_weeks,
            )


def _closed_days(clinics: "_Clinics", *, today: date, until: date) -> Iterator[ClosedDay]:
    """Public holidays. The featured doctors always have a first week to look at."""
    featured = clinics.featured
    for clinic in clinics.all:
        first = today + timedelta(days=8) if clinic in featured else today - timedelta(days=PAST)
        for holiday in public_holidays(clinic, first=first, last=until):
            yield ClosedDay(clinic=clinic, day=holiday.day, name=holiday.name)


def _weekend_surgery(doctor: Doctor, *, today: date) -> AvailabilityOverride:
    """So that the first day that somebody looks at is never empty."""
    return AvailabilityOverride(
        doctor=doctor,
        kind=OverrideKind.EXTRA,
        clinic=doctor.clinic,
        first_day=today,
        last_day=today,
        starts=time(9),
        ends=time(15),
    )


def _time_off(
    practices: list[Practice], *, rng: Random, today: date
) -> Iterator[AvailabilityOverride]:
    """Some days of a fifth of the doctors, and two of the first one in the week after the next."""
    for number, practice in enumerate(practices):
        if number == 0:
            monday = today + timedelta(days=14 - today.weekday())
            first_day, length, reason = monday + timedelta(days=3), 2, CONGRESS
        elif number >= len(FEATURED) and rng.random() < 0.2:
            first_day, length = today + timedelta(days=rng.randint(5, 40)), rng.randint(1, 6)
            reason = rng.choice(("", "On holiday", CONGRESS))
        else:
            continue
        yield AvailabilityOverride(
            doctor=practice.doctor,
            first_day=first_day,
            last_day=first_day + timedelta(days=length - 1),
            reason=reason,
        )


class _Clinics:
    """The clinics so far. A new one opens when the others in the city are full."""

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

    def at(self, place: FeaturedClinic) -> Clinic:
        key = (place.name, place.street)
        if key not in self._by_address:
            self._by_address[key] = self._add(
                _BY_NAME[place.city],
                name=place.name,
                street=place.street,
                postcode=place.postcode,
                directions=place.directions,
                phone=place.phone,
            )
        return self._by_address[key]

    @property
    def featured(self) -> list[Clinic]:
        return list(self._by_address.values())

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

    def _add(self, city: City, *, phone: str = "", **fields: str) -> Clinic:
        clinic = Clinic(
            city=city.name,
            country=city.country,
            time_zone=city.time_zone,
            phone=phone or draw_digits(self._rng, city.phone),
            **fields,
        )
        self.all.append(clinic)
        return clinic


class _Draw:
    """Draws doctors one after the other. The same generator gives the same doctors."""

    def __init__(self, rng: Random, *, specialties: list[Specialty], days: int) -> None:
        self._rng, self._days = rng, days
        self._specialties = {specialty.slug: specialty for specialty in specialties}
        self._taken: set[str] = set()
        self.clinics = _Clinics(rng)

    def featured(self, featured: FeaturedDoctor) -> Practice:
        [field] = [field for field in FIELDS if field.slug == featured.field]
        return self._practice(
            featured.name,
            field=field,
            city=_HOME,
            clinic=self.clinics.at(featured.clinic),
            elsewhere=[self.clinics.at(place) for place in featured.elsewhere],
            languages=list(featured.languages),
            slot_minutes=featured.slot_minutes,
            hours=list(featured.hours),
            treatments=list(field.treatments[:MOST_TREATMENTS]),
        )

    def any_doctor(self) -> Practice:
        rng = self._rng
        [city] = rng.choices(CITIES, [city.weight for city in CITIES])
        [field] = rng.choices(FIELDS, [field.weight for field in FIELDS])
        treatments = _draw_treatments(rng, field)
        slot_minutes = rng.choice(SLOT_LENGTHS)
        has_video = any(treatment.mode == VIDEO for treatment in treatments)
        return self._practice(
            self._new_name(city),
            field=field,
            city=city,
            clinic=self.clinics.place_in(city),
            languages=_draw_languages(rng, city),
            slot_minutes=slot_minutes,
            hours=draw_hours(rng, slot_minutes=slot_minutes, has_video=has_video),
            treatments=treatments,
        )

    def _new_name(self, city: City) -> PersonName:
        """No two doctors share a name, because their pages are found by it."""
        while True:
            name = draw_name(self._rng, origins=COUNTRIES[city.country].origins)
            if name.slug not in self._taken:
                return name

    def _practice(
        self,
        name: PersonName,
        *,
        field: Field,
        city: City,
        clinic: Clinic,
        languages: list[str],
        slot_minutes: int,
        hours: list[Hours],
        treatments: list[Treatment],
        elsewhere: list[Clinic] | None = None,
    ) -> Practice:
        self._taken.add(name.slug)
        doctor = Doctor(
            name=f"Dr {name.full}",
            slug=name.slug,
            specialty=self._specialties[field.slug],
            clinic=clinic,
            languages=languages,
            about=_about(self._rng, name=name, field=field, city=city),
            slot_minutes=slot_minutes,
            min_notice_minutes=self._rng.choice((30, 60, 60, 120)),
            horizon_days=self._days,
        )
        visit_types = list(_visit_types(self._rng, doctor=doctor, city=city, treatments=treatments))
        return Practice(
            doctor=doctor,
            city=city,
            visit_types=visit_types,
            hours=hours,
            elsewhere=elsewhere or [],
        )


def _draw_treatments(rng: Random, field: Field) -> list[Treatment]:
    """Two to four; always the first, which is the usual one."""
    usual, *others = field.treatments
    chosen = rng.sample(others, min(len(others), rng.randint(1, MOST_TREATMENTS - 1)))
    return [usual, *(treatment for treatment in others if treatment in chosen)]


def _visit_types(
    rng: Random, *, doctor: Doctor, city: City, treatments: list[Treatment]
) -> Iterator[VisitType]:
    """All fees of one doctor are slightly above or below the usual ones."""
    country = COUNTRIES[city.country]
    level = 1 if city == _HOME else rng.uniform(0.85, 1.2)
    for position, treatment in enumerate(treatments):
        steps = max(1, round(treatment.fee * country.factor * level / country.step))
        yield VisitType(
            doctor=doctor,
            name=treatment.name,
            slots=treatment.slots,
            mode=treatment.mode,
            price_cents=steps * country.step * 100,
            currency=country.currency,
            position=position,
        )


def _draw_languages(rng: Random, city: City) -> list[str]:
    first, *others = COUNTRIES[city.country].languages
    spoken = [first, *(code for code in others if rng.random() < 0.8)]
    if rng.random() < 0.4:
        spoken.append(rng.choice(_OTHER_LANGUAGES))
    return list(dict.fromkeys(spoken))


def _about(rng: Random, *, name: PersonName, field: Field, city: City) -> str:
    interest, years = rng.choice(field.interests), rng.randint(3, 30)
    article = "an" if field.practitioner[0].lower() in "aeio" else "a"
    return (
        f"Dr {name.last} is {article} {field.practitioner} in {city.name} with {years} years of"
        f" experience, and cares most for {interest}."
    )
