"""Files of doctors and of hours: checked first, then saved as a whole, or not at all."""

import csv
from datetime import date, time
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from docbook.audit.models import AuditEvent
from doctors.models import AvailabilityRule, Doctor, SlotExpansion
from tests.factories import (
    make_admin,
    make_clinic,
    make_doctor,
    make_rule,
    make_user,
    make_visit_type,
)
from tests.pages.browser import words

pytestmark = pytest.mark.django_db

DOCTORS = "/admin/doctors/doctor/csv/doctors/"
HOURS = "/admin/doctors/doctor/csv/hours/"
HEADER = "doctor,clinic,weekdays,starts,ends,valid_from"


@pytest.fixture
def door(client):
    client.force_login(make_admin())
    return client


def sent(door, page: str, content: str | bytes) -> Any:
    data = content if isinstance(content, bytes) else content.encode()
    return door.post(page, {"file": SimpleUploadedFile("file.csv", data, "text/csv")})


def saved(door, page: str, content: str | bytes) -> Any:
    """Sends the file and presses Save on the page that says what would happen."""
    checked = sent(door, page, content)
    assert checked.context["checked"].is_good, words(checked)
    form = {
        "token": checked.context["token"],
        "version": checked.context["checked"].version,
    }
    return door.post(page, form, follow=True)


def wrong(answer: Any) -> list[tuple[int, str, str]]:
    assert answer.status_code == 200
    assert not answer.context["token"]
    return [(error.row, error.column, error.text) for error in answer.context["checked"].errors]


def row(of: Doctor, **fields: Any) -> str:
    values = {
        "doctor": of.slug,
        "clinic": of.clinic_id,
        "weekdays": "mon tue",
        "starts": "09:00",
        "ends": "12:00",
        "valid_from": "2026-01-05",
    }
    return ",".join(str(value) for value in (values | fields).values())


def table(*rows: str, header: str = HEADER) -> str:
    return "\n".join((header, *rows)) + "\n"


def downloaded(door, page: str) -> list[dict[str, str]]:
    answer = door.get(f"{page}export/")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]
    return list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))


def test_hours_are_checked_first_and_saved_when_somebody_says_so(door):
    doctor = make_doctor()
    file = table(row(doctor), row(doctor, weekdays="sat", ends="24:00"))
    answer = sent(door, HOURS, file)
    assert not AvailabilityRule.objects.exists()
    assert tuple(answer.context["checked"].totals) == (2, 0, 0, 0)
    answer = saved(door, HOURS, file)
    assert "The file was saved." in words(answer)
    rules = AvailabilityRule.objects.order_by("starts", "pk")
    assert [(each.weekdays, each.starts, each.ends) for each in rules] == [
        ([0, 1], time(9), time(12)),
        ([5], time(9), time(0)),
    ]
    assert SlotExpansion.objects.get().doctor_ids == [doctor.pk]
    event = AuditEvent.objects.get(action="hours.changed")
    assert event.object_id == str(doctor.pk)
    assert (event.before, len(event.after["rules"])) == ({"rules": []}, 2)


def test_a_file_replaces_the_hours_of_its_doctors_and_of_nobody_else(door):
    doctor, other = make_doctor(), make_doctor()
    stays = make_rule(doctor=doctor, weekdays=[0, 1], starts=time(9), ends=time(12))
    make_rule(doctor=doctor, weekdays=[4])
    of_other = make_rule(doctor=other)
    file = table(row(doctor, valid_from=stays.valid_from), row(doctor, weekdays="wed"))
    checked = sent(door, HOURS, file).context["checked"]
    assert tuple(checked.totals) == (1, 0, 1, 1)
    saved(door, HOURS, file)
    assert set(AvailabilityRule.objects.filter(weekdays=[0, 1])) == {stays}
    assert AvailabilityRule.objects.filter(doctor=doctor).count() == 2
    assert AvailabilityRule.objects.filter(doctor=other).get() == of_other


def test_what_was_downloaded_changes_nothing_when_it_comes_back(door):
    doctor = make_doctor(name="=SUM(A1) van Dam", languages=["nl", "en"], about="-\nTwo lines")
    visit_type = make_visit_type(doctor=doctor, name="First; visit"[:5])
    make_rule(
        doctor=doctor, weekdays=[0, 3], visit_types=[visit_type.pk], every_weeks=2, ends=time(0)
    )
    make_rule(
        doctor=doctor,
        weekdays=[6],
        starts=time(8),
        ends=time(9),
        mode="video",
        valid_until=date(2027, 1, 1),
    )
    for page in (DOCTORS, HOURS):
        file = door.get(f"{page}export/").content
        checked = sent(door, page, file).context["checked"]
        assert checked.is_good, checked
        assert tuple(checked.totals)[:3] == (0, 0, 0)
        assert checked.totals.kept == checked.rows


def test_a_spreadsheet_finds_no_formula_in_a_download(door):
    make_doctor(name="=HYPERLINK(1)", about="@x")
    make_doctor(name="+1", about="-2")
    for each in downloaded(door, DOCTORS):
        assert each["name"][0] == each["about"][0] == "'"


def test_a_formula_in_a_file_is_only_text(door):
    doctor = make_doctor()
    file = f"slug,name,specialty,clinic\n{doctor.slug},=2+3,{doctor.specialty.slug},"
    saved(door, DOCTORS, file + str(doctor.clinic_id))
    doctor.refresh_from_db()
    assert doctor.name == "=2+3"


@pytest.mark.parametrize(
    ("fields", "column", "text"),
    [
        ({"doctor": "nobody"}, "doctor", "There is no doctor with this slug."),
        ({"clinic": "999999"}, "clinic", "There is no clinic with this number."),
        ({"clinic": "=1+1"}, "clinic", "There is no clinic with this number."),
        ({"weekdays": ""}, "weekdays", "This field is required."),
        ({"weekdays": "mon someday"}, "weekdays", "someday is not one of the choices."),
        ({"starts": "25:00"}, "starts", "Write the time like 08:30."),
        ({"starts": ""}, "starts", "This field is required."),
        ({"ends": "25:00"}, "ends", "24:00 for the end of the day"),
        ({"ends": "08:59"}, "ends", "The end must be later than the start."),
        ({"ends": "12:00:30"}, "ends", "Write whole minutes"),
        ({"valid_from": "03/04/2026"}, "valid_from", "Write the day like 2026-11-23."),
        ({"valid_from": "2026-02-30"}, "valid_from", "Write the day like 2026-11-23."),
        ({"valid_from": "9999-12-31"}, "valid_from", "too far away"),
    ],
)
def test_wrong_cells_of_hours_get_a_message_at_row_and_column(door, fields, column, text):
    doctor = make_doctor()
    answer = sent(door, HOURS, table(row(doctor), row(doctor, **fields)))
    [(number, name, said)] = wrong(answer)
    assert (number, name) == (3, column)
    assert text in said
    assert not AvailabilityRule.objects.exists()


@pytest.mark.parametrize(
    ("more", "value", "text"),
    [
        ("time_zone", "Europe/Utrecht", "This is not an IANA time zone"),
        ("time_zone", "Europe/Berlin", "The clock of this clinic is that of Europe/Amsterdam."),
        ("mode", "telepathy", "telepathy"),
        ("every_weeks", "9", "9"),
        ("visit_types", "Nothing we offer", "Nothing we offer"),
        ("valid_until", "2025-01-01", "The last day must not be before the first."),
    ],
)
def test_wrong_optional_cells_of_hours_get_a_message(door, more, value, text):
    doctor = make_doctor()
    file = table(f"{row(doctor)},{value}", header=f"{HEADER},{more}")
    [(number, name, said)] = wrong(sent(door, HOURS, file))
    assert (number, name) == (2, more)
    assert text in said


def test_overlapping_rows_are_named(door):
    doctor, other = make_doctor(), make_doctor()
    file = table(
        row(doctor), row(other), row(doctor, weekdays="tue fri", starts="11:59", ends="13:00")
    )
    text = "These hours overlap other hours of this doctor."
    assert wrong(sent(door, HOURS, file)) == [(4, "starts", text)]


def test_a_doctor_has_at_most_50_rows(door):
    doctor = make_doctor()
    rows = [
        row(doctor, starts=f"00:{minute:02}", ends=f"00:{minute + 1:02}") for minute in range(51)
    ]
    text = "A file may have 50 rows for a doctor."
    assert wrong(sent(door, HOURS, table(*rows))) == [(52, "doctor", text)]


def test_37_wrong_rows_of_ten_thousand_are_named_and_nothing_is_saved(door):
    doctors = [make_doctor() for _number in range(10)]
    many = [
        Doctor(
            slug=f"many-{number}-{each.pk}", name="Dr", specialty=each.specialty, clinic=each.clinic
        )
        for number in range(99)
        for each in doctors
    ]
    Doctor.objects.bulk_create(many)
    everybody = [*doctors, *many]
    rows = [
        row(
            everybody[number % 1000],
            starts=f"{number // 1000 + 5:02}:00",
            ends=f"{number // 1000 + 5:02}:50",
        )
        for number in range(10_000)
    ]
    bad = range(100, 10_000, 270)
    assert len(bad) == 37
    for number in bad:
        rows[number] = row(doctors[0], starts="25:00")
    answer = sent(door, HOURS, table(*rows))
    found = wrong(answer)
    assert [number for number, _column, _text in found] == [number + 2 for number in bad]
    assert "37 of 10000 rows are wrong. Nothing was saved." in words(answer).replace(",", "")
    assert not AvailabilityRule.objects.exists()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", "empty"),
        ("\n\n", "The file is empty."),
        (HEADER, "The file has column names but no rows."),
        ("visser,1,mon,09:00,12:00,2026-01-05", "Missing: doctor, clinic"),
        (f"{HEADER},salary\na,b,c,d,e,f,g", "These columns are not known: salary."),
        (f"{HEADER},doctor\na,b,c,d,e,f,g", "A column is there twice."),
        (f"{HEADER}\na,b,c", "Row 2 has 3 cells, but there are 6 columns."),
        (f'{HEADER}\n"a,b,c,d,e,f', "cannot be read as CSV"),
        (f"{HEADER}\na,\0,c,d,e,f", "This is not a CSV file."),
        (f"{HEADER}\nmüller,1,mon,09:00,12:00,2026-01-05".encode("latin-1"), "not UTF-8"),
        (f"{HEADER}\nx".encode("utf-16-le"), "This is not a CSV file."),
        (b"PK\x03\x04\xff\xfe\x00", "not UTF-8"),
        (b"\xff\xfea", "not UTF-8"),
        (HEADER + "\n" + "x" * 2_000_000, "larger than 2 MB"),
        (HEADER + "\na,b,c,d,e,f" * 10_001, "more than 10000 rows"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_says_why(door, content, text):
    answer = sent(door, HOURS, content)
    assert answer.status_code == 200
    assert text in words(answer)
    assert not answer.context["token"]


def test_no_file_at_all_is_a_message(door):
    assert "This field is required." in words(door.post(HOURS, {}))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_files_and_semicolons_are_read(door, encoding):
    doctor = make_doctor()
    file = f"slug;name;specialty;clinic\n{doctor.slug};Dr Zoë Müller;{doctor.specialty.slug};"
    saved(door, DOCTORS, f"{file}{doctor.clinic_id}".encode(encoding))
    doctor.refresh_from_db()
    assert doctor.name == "Dr Zoë Müller"


def doctor_row(doctor: Doctor, **fields: Any) -> str:
    values = {
        "slug": doctor.slug,
        "name": doctor.name,
        "specialty": doctor.specialty.slug,
        "clinic": doctor.clinic_id,
    } | fields
    return "\n".join((",".join(values), ",".join(map(str, values.values()))))


def test_new_doctors_wait_for_approval_and_known_ones_are_changed(door):
    doctor = make_doctor(slot_minutes=30)
    file = doctor_row(doctor, name="Dr E. Visser", slot_minutes="")
    saved(door, DOCTORS, f"{file}\nnew-one,Dr New,{doctor.specialty.slug},{doctor.clinic_id},15")
    doctor.refresh_from_db()
    assert (doctor.name, doctor.slot_minutes, doctor.is_active) == ("Dr E. Visser", 30, True)
    new = Doctor.objects.get(slug="new-one")
    assert (new.name, new.slot_minutes, new.is_active) == ("Dr New", 15, False)
    assert door.get("/doctors/new-one/").status_code == 404
    events = AuditEvent.objects.filter(action="doctor.imported")
    assert {event.object_id for event in events} == {str(doctor.pk), str(new.pk)}
    assert "Visser" not in str([(event.before, event.after) for event in events])


@pytest.mark.parametrize(
    ("fields", "column"),
    [
        ({"slug": "no slug!"}, "slug"),
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"specialty": "magic"}, "specialty"),
        ({"clinic": "-1"}, "clinic"),
        ({"slot_minutes": "4"}, "slot_minutes"),
        ({"slot_minutes": "many"}, "slot_minutes"),
        ({"horizon_days": "366"}, "horizon_days"),
        ({"most_visits_a_day": "0"}, "most_visits_a_day"),
        ({"min_notice_minutes": "-1"}, "min_notice_minutes"),
        ({"min_notice_minutes": "9" * 12}, "min_notice_minutes"),
        ({"languages": "klingon"}, "languages"),
        ({"can_be_booked": "no"}, "can_be_booked"),
        ({"can_be_booked": "maybe"}, "can_be_booked"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
    ],
)
def test_wrong_cells_of_doctors_get_a_message_at_their_column(door, fields, column):
    doctor = make_doctor()
    answer = sent(door, DOCTORS, doctor_row(doctor, **fields))
    assert {(number, name) for number, name, _text in wrong(answer)} == {(2, column)}
    assert Doctor.objects.get().name == doctor.name


def test_a_slug_may_be_there_once(door):
    doctor = make_doctor()
    file = doctor_row(doctor)
    again = file.splitlines()[1]
    assert wrong(sent(door, DOCTORS, f"{file}\n{again}")) == [
        (3, "slug", "An earlier row has the same slug.")
    ]


def test_hours_that_changed_since_the_check_are_looked_at_again(door):
    doctor = make_doctor()
    checked = sent(door, HOURS, table(row(doctor)))
    make_rule(doctor=doctor, weekdays=[6])
    form = {"token": checked.context["token"], "version": checked.context["checked"].version}
    answer = door.post(HOURS, form)
    assert "Somebody has changed this in the meantime." in words(answer)
    assert answer.context["token"]
    assert AvailabilityRule.objects.count() == 1


def test_a_slug_taken_since_the_check_saves_nothing(door):
    doctor = make_doctor()
    checked = sent(door, DOCTORS, doctor_row(doctor, slug="taken"))
    make_doctor(slug="taken", name="Dr Other")
    form = {"token": checked.context["token"], "version": checked.context["checked"].version}
    answer = door.post(DOCTORS, form)
    assert "Somebody has changed this in the meantime." in words(answer)
    assert Doctor.objects.get(slug="taken").name == "Dr Other"


def test_a_file_that_is_gone_or_of_somebody_else_is_chosen_again(door, client_of_other_admin):
    doctor = make_doctor()
    checked = sent(door, HOURS, table(row(doctor)))
    form = {"token": checked.context["token"], "version": checked.context["checked"].version}
    answer = client_of_other_admin.post(HOURS, form, follow=True)
    assert "Nothing was saved. Choose the file once more." in words(answer)
    cache.clear()
    answer = door.post(HOURS, form, follow=True)
    assert "Nothing was saved. Choose the file once more." in words(answer)
    assert not AvailabilityRule.objects.exists()


@pytest.fixture
def client_of_other_admin():
    other = Client()
    other.force_login(make_admin())
    return other


@pytest.mark.parametrize("page", [DOCTORS, HOURS])
def test_staff_without_the_rights_can_neither_import_nor_export(client, page):
    staff = make_user(is_staff=True)
    client.force_login(staff)
    assert client.get(page).status_code == 403
    assert client.get(f"{page}export/").status_code == 403
    staff.user_permissions.set(Permission.objects.filter(codename="view_doctor"))
    assert client.get(page).status_code == 403
    assert client.get(f"{page}export/").status_code == 200


def test_an_unknown_kind_is_404(door):
    assert door.get("/admin/doctors/doctor/csv/patients/").status_code == 404
    assert door.get("/admin/doctors/doctor/csv/patients/export/").status_code == 404


def test_the_list_of_doctors_leads_to_both_pages(door):
    page = door.get("/admin/doctors/doctor/").content.decode()
    assert DOCTORS in page
    assert HOURS in page


def test_checking_more_rows_takes_no_more_queries(door, django_assert_max_num_queries):
    doctor = make_doctor(clinic=make_clinic())
    rows = [row(doctor, starts=f"{hour:02}:00", ends=f"{hour:02}:30") for hour in range(23)]
    with django_assert_max_num_queries(34):
        saved(door, HOURS, table(*rows))
