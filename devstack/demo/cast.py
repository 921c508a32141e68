"""The people of the demo who are always the same: logins, and the doctors of the screenshots."""

from datetime import time
from typing import NamedTuple

from bookings.states import AppointmentStatus
from devstack.demo.hours import Hours
from devstack.demo.names import PersonName
from doctors.models import Mode

DOMAIN = "demo.docbook.test"
PASSWORD = "docbook-demo"  # noqa: S105 - everybody may know it: development only
NUMBERED_PATIENTS = 2_000

PATIENT = PersonName("Alba", "Jiménez")
DOCTOR = PersonName("Emma", "Visser")
SECRETARY = PersonName("Carla", "Mendes")
ADMIN = PersonName("Robin", "Admin")


def address(name: str) -> str:
    return f"{name}@{DOMAIN}"


class FeaturedClinic(NamedTuple):
    name: str
    street: str
    postcode: str
    directions: str
    city: str = "Utrecht"
    phone: str = ""  # empty: any


class FeaturedDoctor(NamedTuple):
    """A doctor who exists however few doctors are requested. Every main clinic is in Utrecht;
    `elsewhere` are clinics besides it.
    """

    name: PersonName
    field: str
    clinic: FeaturedClinic
    languages: tuple[str, ...]
    slot_minutes: int
    hours: tuple[Hours, ...]
    elsewhere: tuple[FeaturedClinic, ...] = ()


_HUID = FeaturedClinic(
    "Huid & Haar Kliniek", "Maliebaan 42", "3581 CR", "Second floor, lift, step-free entrance"
)
_MEDISCH = FeaturedClinic(
    "Medisch Centrum Kanaal", "Kanaalweg 9", "3526 KL", "Ground floor, step-free entrance"
)
_STAD = FeaturedClinic(
    "Stadskliniek Centraal", "Vredenburg 18", "3511 BB", "Above the pharmacy, lift to the left"
)
_WILHELMINA = FeaturedClinic(
    "Praktijk Wilhelmina", "Museumlaan 3", "3581 HK", "Entrance through the courtyard"
)

_MARYLEBONE = FeaturedClinic(
    "Marylebone Skin Clinic",
    "48 Harley Street",
    "W1G 9PR",
    "First floor, ring twice",
    city="London",
    phone="+44 20 7946 0417",
)

_WEEK = [0, 1, 2, 3, 4]
_OFFICE = (Hours(_WEEK, time(8, 40), time(12)), Hours(_WEEK, time(13), time(16)))
_MOLES, _FOLLOW_UPS = ("Mole removal",), ("Follow-up",)
# Every second Thursday until the evening, and in the weeks between by video.
_EVENINGS = (
    Hours([3], time(16, 20), time(18, 20), every_weeks=2, only=_MOLES),
    Hours([3], time(16, 20), time(17, 20), Mode.VIDEO, 2, first_week=1, only=_FOLLOW_UPS),
)

FEATURED: tuple[FeaturedDoctor, ...] = (
    FeaturedDoctor(DOCTOR, "dermatology", _HUID, ("nl", "en", "de"), 20, (*_OFFICE, *_EVENINGS)),
    FeaturedDoctor(
        PersonName("Tunde", "Okafor"),
        "dermatology",
        _MEDISCH,
        ("en", "fr"),
        15,
        (
            Hours([0, 2, 3, 4], time(9), time(12)),
            Hours([0, 3], time(13, 30), time(17)),
            Hours([1], time(9, 30), time(12, 30), clinic=_MARYLEBONE.name),
            Hours([2], time(13, 30), time(17), every_weeks=2),
            Hours([2], time(13, 30), time(16), every_weeks=2, first_week=1, only=_MOLES),
        ),
        elsewhere=(_MARYLEBONE,),
    ),
    FeaturedDoctor(
        PersonName("Joost", "van den Berg"),
        "dermatology",
        _STAD,
        ("nl", "en"),
        20,
        (Hours(_WEEK, time(9), time(12, 20)), Hours([1, 2, 3], time(15, 30), time(18, 10))),
    ),
    FeaturedDoctor(
        PersonName("Saskia", "Nowak"), "paediatrics", _WILHELMINA, ("nl", "pl", "en"), 15, _OFFICE
    ),
    FeaturedDoctor(
        PersonName("Ruth", "Haddad"), "family-doctor", _MEDISCH, ("nl", "ar", "en"), 10, _OFFICE
    ),
    FeaturedDoctor(
        PersonName("Leyla Merve", "Aydın"),
        "dermatology",
        _WILHELMINA,
        ("nl", "tr", "en"),
        20,
        (Hours([0, 1, 3], time(9, 10), time(12, 30)), Hours([5], time(10), time(13))),
    ),
)
# The demo's secretary runs their days.
RUN_BY_SECRETARY = (DOCTOR, FEATURED[1].name, FEATURED[5].name)


class PatientVisit(NamedTuple):
    """A visit of the demo patient: the first time that fits, `days` from today, from `at` on."""

    doctor: PersonName
    days: int
    at: time
    visit_type: str
    status: AppointmentStatus = AppointmentStatus.CONFIRMED


PATIENT_VISITS: tuple[PatientVisit, ...] = (
    PatientVisit(DOCTOR, 2, time(9, 40), "Skin check"),
    PatientVisit(FEATURED[3].name, 8, time(14), "Check-up"),
    PatientVisit(FEATURED[1].name, 22, time(11, 30), "First visit, new concern"),
    PatientVisit(DOCTOR, -9, time(10), "Skin check", AppointmentStatus.COMPLETED),
    PatientVisit(FEATURED[2].name, -16, time(17), "Follow-up", AppointmentStatus.COMPLETED),
    PatientVisit(FEATURED[4].name, -20, time(8, 50), "Consultation", AppointmentStatus.NO_SHOW),
)
