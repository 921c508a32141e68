"""Everybody who may want something with a visit, and people who have no business with it."""

from uuid import uuid4

from accounts.models import User
from bookings.actors.holder import Holder
from bookings.actors.practice_member import PracticeMember
from bookings.models import Appointment
from doctors.models import Doctor
from tests.factories import make_doctor, make_patient, make_secretary, make_user

Party = Holder | PracticeMember


def login_of(doctor: Doctor) -> User:
    if doctor.user is None:
        doctor.user = make_user()
        doctor.save()
    return doctor.user


def patient_of(visit: Appointment) -> Party:
    return Holder(patient=visit.patient)


def doctor_of(visit: Appointment) -> Party:
    return PracticeMember(login_of(visit.doctor))


def secretary_of(visit: Appointment) -> Party:
    return PracticeMember(make_secretary(doctor=visit.doctor))


def staff(_visit: Appointment) -> Party:
    return PracticeMember(make_user(is_staff=True))


PRACTICE = {"doctor": doctor_of, "secretary": secretary_of, "staff": staff}
OWN = {"patient": patient_of, **PRACTICE}
STRANGERS = {
    "another patient": lambda _visit: Holder(patient=make_patient()),
    "a guest": lambda _visit: Holder(guest_key=uuid4()),
    "another doctor": lambda _visit: PracticeMember(login_of(make_doctor())),
    "another secretary": lambda _visit: PracticeMember(make_secretary(doctor=make_doctor())),
    # Their own visit gives patients no place in the practice, and doctors no patient's right.
    "the patient at the practice's door": lambda visit: PracticeMember(visit.patient),
    "the doctor at the patient's door": lambda visit: Holder(patient=login_of(visit.doctor)),
}
