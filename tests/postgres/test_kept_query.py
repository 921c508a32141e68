"""A kept query gives the results of its queryset, with SQL that was computed once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.db.models import BigIntegerField, CharField, F, IntegerField
from django.test.utils import CaptureQueriesContext

from docbook.postgres.kept_query import Given, KeptQuery, put_prefetched
from doctors.models import Clinic, Doctor, VisitType
from tests.factories import DoctorFactory, make_visit_type

pytestmark = pytest.mark.django_db


def of_city() -> KeptQuery[Doctor]:
    return KeptQuery(
        lambda: (
            Doctor.objects.filter(clinic__city=Given("city", CharField()))
            .select_related("clinic", "specialty", "user")
            .annotate(twice=F("horizon_days") * 2)
            .order_by("name")
        )
    )


@pytest.fixture
def doctors() -> list[Doctor]:
    return [
        DoctorFactory.create(name=name, clinic__city=city)
        for name, city in (("Dr A", "Utrecht"), ("Dr B", "Gouda"), ("Dr C", "Utrecht"))
    ]


def test_objects_come_with_relations_and_annotations_in_one_query(doctors):
    query = of_city()

    with CaptureQueriesContext(
        connection,
    ) as asked:
        found = query.all(city="Utrecht")
        assert [each.clinic.city for each in found] == ["Utrecht", "Utrecht"]
        assert [each.specialty.pk for each in found] == [
            doctors[0].specialty_id,
            doctors[2].specialty_id,
        ]

    assert len(asked) == 1
    assert found == [doctors[0], doctors[2]]
    assert [each.twice for each in found] == [2 * each.horizon_days for each in found]
    assert all(each.user is None for each in found)


def test_each_call_has_its_own_values(doctors):
    query = of_city()

    assert query.first(city="Gouda") == doctors[1]
    assert query.first(city="Nowhere") is None
    assert len(query.all(city="Utrecht")) == 2


def test_objects_can_be_changed_and_saved(doctors):
    found = of_city().first(city="Gouda")
    assert found is not None
    found.name = "Dr Z"
    found.save()

    assert Doctor.objects.get(pk=found.pk).name == "Dr Z"


def test_sql_is_worked_out_once(doctors):
    built = []

    def build():
        built.append(1)
        return Clinic.objects.filter(pk=Given("pk", IntegerField()))

    query = KeptQuery(build)
    found = [query.exists(pk=each.clinic_id) for each in doctors] + [query.exists(pk=0)]

    assert found == [True, True, True, False]
    assert len(built) == 1


@pytest.mark.django_db(transaction=True)
def test_threads_ask_over_connections_of_their_own(doctors):
    query = of_city()
    query.all(city="Utrecht")

    def in_a_thread() -> list[str]:
        names = [each.name for each in query.all(city="Utrecht")]
        connection.close()
        return names

    with ThreadPoolExecutor(2) as threads:
        answers = [threads.submit(in_a_thread) for _n in range(4)]
        assert [each.result() for each in answers] == [["Dr A", "Dr C"]] * 4


def test_number_that_no_column_holds_finds_nothing(doctors):
    query = KeptQuery(lambda: Clinic.objects.filter(pk=Given("pk", BigIntegerField())))

    with CaptureQueriesContext(connection) as asked:
        found = [query.all(pk=number) for number in (2**63, 10**30, -(10**30))]
    assert found == [[], [], []]
    assert len(asked) == 0
    assert query.all(pk=2**63 - 1) == []


def test_value_that_is_not_given_is_an_error(doctors):
    with pytest.raises(KeyError, match="city"):
        of_city().all(town="Utrecht")


def test_what_is_put_beside_an_object_reads_as_if_prefetched(doctors):
    doctor, other, _third = doctors
    types = [make_visit_type(doctor=each) for each in (doctor, doctor, other)]
    mine = list(VisitType.objects.filter(pk__in=[each.pk for each in types], doctor=doctor))
    doctor.refresh_from_db()

    put_prefetched(doctor, "visit_types", mine)

    with CaptureQueriesContext(connection) as asked:
        assert list(doctor.visit_types.all()) == mine
        assert [each.doctor for each in doctor.visit_types.all()] == [doctor, doctor]
    assert len(asked) == 0
    assert set(doctor.visit_types.filter(pk__gt=0)) == set(mine)
