"""A practice finds its own patients by what they say, and anybody else only by a whole address."""

from datetime import date

import pytest

from bookings.schedule.desk.services import caller_behind, caller_key, search_callers
from bookings.schedule.desk.typed_words import typed_words
from docbook.audit.models import AuditEvent
from docbook.errors import FieldError, NotYours
from tests.bookings.schedule.callers import Practice, make_practice
from tests.factories import make_patient
from tests.scans import read_whole

pytestmark = pytest.mark.django_db

LIKE_MANY = ("Hanna Lindqvist", "Jürgen Müller", "Siobhán O'Brien", "Anne-Marie de Wit")


@pytest.fixture
def practice() -> Practice:
    made = make_practice()
    for name in LIKE_MANY:
        first, _blank, last = name.partition(" ")
        made.knows(first_name=first, last_name=last)
    return made


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("lindqvist", "Hanna Lindqvist"),
        ("lindq", "Hanna Lindqvist"),
        ("hanna lin", "Hanna Lindqvist"),
        ("Lindqvist, Hanna", "Hanna Lindqvist"),
        ("lindqist", "Hanna Lindqvist"),
        ("hana lindkvist", ""),  # a slip in each word, and one of them is short
        ("muller", "Jürgen Müller"),
        ("MÜLLER", "Jürgen Müller"),
        ("jurgen", "Jürgen Müller"),
        ("obrien", "Siobhán O'Brien"),
        ("O’Brien", "Siobhán O'Brien"),
        ("marie", "Anne-Marie de Wit"),
        ("li", ""),  # too short to mean anybody
        ("l%nd_vist", ""),
    ],
)
def test_own_patients_are_found_by_name(practice: Practice, typed: str, found: str) -> None:
    assert practice.names(typed) == ([found] if found else [])


@pytest.mark.parametrize("typed", ["0151 2345", "+49 151 234", "2345678", "mueller 0151"])
def test_own_patients_are_found_by_part_of_a_number(practice: Practice, typed: str) -> None:
    practice.knows(first_name="Ute", last_name="Mueller", phone="+49 151 2345678")
    assert practice.names(typed) == ["Ute Mueller"]


@pytest.mark.parametrize("typed", ["12.03.1980", "1980-03-12", "12/3/1980 bakk"])
def test_own_patients_are_found_by_birthday(practice: Practice, typed: str) -> None:
    practice.knows(first_name="Bo", last_name="Bakker", born_on=date(1980, 3, 12))
    assert practice.names(typed) == ["Bo Bakker"]


def test_nobody_has_to_be_born_on_a_day_that_does_not_exist(practice: Practice) -> None:
    assert typed_words("30.02.1980").born_on is None
    assert practice.names("30.02.1980") == []


def test_best_comes_first(practice: Practice) -> None:
    practice.knows(first_name="Hanna", last_name="Lindquist")
    assert practice.names("lindquist") == ["Hanna Lindquist", "Hanna Lindqvist"]


def test_ten_are_shown_at_most(practice: Practice) -> None:
    for number in range(12):
        practice.knows(first_name="Jan", last_name=f"Jansen {number}")
    assert len(practice.finds("jansen")) == 10


def test_patients_of_others_are_not_found_by_name_birthday_or_part_of_a_number(
    practice: Practice,
) -> None:
    elsewhere = make_practice()
    elsewhere.knows(
        first_name="Sanne", last_name="Mulder", phone="+31655501234", born_on=date(1990, 1, 2)
    )
    make_patient(first_name="Sanne", last_name="Mulderink", phone="+31655501235")
    for typed in ("sanne mulder", "65550123", "02.01.1990"):
        assert practice.names(typed) == []
    assert elsewhere.names("sanne") == ["Sanne Mulder"]


@pytest.mark.parametrize("typed", ["Sanne@Mail.test", "+31 6 5550 1234", "0031655501234"])
def test_others_are_found_by_a_whole_address_and_shown_masked(
    practice: Practice, typed: str
) -> None:
    make_patient(
        first_name="Sanne",
        last_name="Mulder",
        email="sanne@mail.test",
        phone="+31655501234",
        born_on=date(1990, 1, 2),
    )
    [found] = practice.finds(typed)
    shown = (found.shown_name, found.shown_phone, found.shown_email, found.shown_birthday)
    assert shown == ("S••• M•••", "•••• 34", "s•••e@mail.test", None)


def test_number_without_its_country_finds_no_stranger(practice: Practice) -> None:
    make_patient(phone="0655501234")
    assert practice.finds("0655501234") == []


def test_closed_accounts_are_not_found(practice: Practice) -> None:
    practice.knows(first_name="Zoë", last_name="Weg", email="zoe@mail.test", is_active=False)
    assert practice.finds("zoë weg") == []
    assert practice.finds("zoe@mail.test") == []


def test_search_that_shows_somebody_is_recorded_without_words_or_names(practice: Practice) -> None:
    practice.finds("nobody of that name")
    assert not AuditEvent.objects.exists()
    practice.finds("lindqvist")
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_kind) == ("patients.read", "secretary")
    assert event.actor_id == practice.secretary.user.pk
    assert (event.object_type, event.object_id) == ("doctor", str(practice.doctor.pk))
    assert event.after == {"through": "desk", "shown": 1}


def test_strangers_of_the_practice_search_nothing(practice: Practice) -> None:
    other = make_practice()
    with pytest.raises(NotYours):
        Practice(practice.doctor, practice.visit_type, [], other.secretary).finds("lindqvist")


def test_key_of_a_caller_is_only_for_those_who_found_them(practice: Practice) -> None:
    [found] = practice.finds("lindqvist")
    key = caller_key(found, by=practice.secretary)
    assert caller_behind(key, by=practice.secretary).last_name == "Lindqvist"
    for theirs, by in ((key, make_practice().secretary), (f"{found.id}", practice.secretary)):
        with pytest.raises(FieldError):
            caller_behind(theirs, by=by)


def test_search_reads_no_table_as_a_whole(practice: Practice) -> None:
    """Every way of looking has its index."""
    for typed in ("lindqvist", "lin hanna", "0151 234", "12.03.1980", "+31655501234 a@b.test"):
        assert read_whole(lambda typed=typed: practice.finds(typed)) == set(), typed


def test_parts_may_stand_in_any_order() -> None:
    typed = typed_words("+31 6 5550 a@b.test  Anna  Smit 1.2.1990 1234")
    assert (typed.names, typed.phone) == (("Anna", "Smit"), "+31 6 5550 1234")
    assert (typed.email, typed.born_on) == ("a@b.test", date(1990, 2, 1))


def test_patients_of_each_doctor_are_read_in_the_name_of_that_doctor() -> None:
    practice, other = make_practice(), make_practice()
    other.doctor.secretaries.create(secretary=practice.secretary.user)
    practice.knows(first_name="Hanna", last_name="Lindqvist")
    other.knows(first_name="Lena", last_name="Lindqvist")
    doctors = [practice.doctor, other.doctor]
    search_callers(
        typed_words("lindqvist"),
        doctor=practice.doctor,
        doctors=doctors,
        by=practice.secretary,
        through="page",
    )
    read = AuditEvent.objects.filter(action="patients.read")
    assert {each.object_id for each in read} == {str(each.pk) for each in doctors}
    assert [each.after["shown"] for each in read] == [1, 1]


def test_own_patient_who_is_found_by_the_number_alone_is_no_stranger() -> None:
    practice = make_practice()
    practice.knows(first_name="Hans", last_name="Maier", phone="+49 151 2345678")
    [found] = search_callers(
        typed_words("schulze +491512345678"),
        doctor=practice.doctor,
        doctors=[practice.doctor],
        by=practice.secretary,
        through="page",
    )
    assert (found.is_own, found.is_exact, found.shown_name) == (True, False, "Hans Maier")
