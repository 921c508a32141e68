"""The coming visits as a file."""

import csv
from datetime import datetime
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from docbook.audit.models import AuditEvent
from docbook.references import reference
from tests.factories import (
    make_admin,
    make_appointment,
    make_clinic,
    make_doctor,
    make_slots,
    make_user,
)

pytestmark = pytest.mark.django_db

EXPORT = "/admin/bookings/appointment/export/"


def rows_for(client: Any) -> list[dict[str, str]]:
    answer = client.get(EXPORT)
    assert answer.status_code == 200
    return list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))


def test_each_coming_visit_has_its_zone_and_times_with_its_offset(client: Any) -> None:
    doctor = make_doctor(name="=1+1", clinic=make_clinic(time_zone="Asia/Kolkata"))
    visit = make_appointment(slots=make_slots(doctor=doctor))
    client.force_login(make_admin())
    [row] = rows_for(client)
    assert row["reference"] == reference(visit.pk)
    assert row["time_zone"] == "Asia/Kolkata"
    assert row["starts_at"].endswith("+05:30")
    assert datetime.fromisoformat(row["starts_at"]) == visit.starts_at
    assert row["doctor"] == "'=1+1"
    assert row["patient_name"] == visit.patient_name
    assert AuditEvent.objects.filter(action="patient.read", object_id="export").count() == 1
    assert EXPORT in client.get("/admin/bookings/appointment/").content.decode()


def test_without_the_right_to_read_of_patients_there_are_no_names(client: Any) -> None:
    make_appointment(slots=make_slots(doctor=make_doctor()))
    staff = make_user(is_staff=True)
    client.force_login(staff)
    assert client.get(EXPORT).status_code == 403
    staff.user_permissions.set(Permission.objects.filter(codename="view_appointment"))
    [row] = rows_for(client)
    assert "patient_name" not in row
    assert not AuditEvent.objects.filter(action="patient.read").exists()
