"""Public reads: doctors, and the free times of one of them."""

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from docbook.errors import FieldError
from docbook.http.header_schema import CACHE_CONTROL, ETAG
from docbook.http.pagination import paginate_rows, paginate_times
from docbook.http.preconditions import IF_NONE_MATCH, NOT_MODIFIED
from docbook.http.problem_schema import problems
from docbook.http.responses import public_response
from docbook.http.schema import LIST_PARAMETERS
from docbook.http.serializers import page_of, read_query
from doctors.api import examples
from doctors.models import Doctor, VisitType
from doctors.selectors.doctors import get_bookable_doctor
from doctors.selectors.search import (
    DoctorSearch,
    get_doctor_with_next_free,
    in_one_currency,
    search_doctors,
)
from doctors.selectors.slots import times_on_day
from doctors.selectors.visit_types import choose_visit_type
from doctors.selectors.working_places import working_places
from doctors.serializers import DayQuery, DoctorOut, SearchQuery, TimeOut

_KEPT = [IF_NONE_MATCH, ETAG, CACHE_CONTROL]
_KEYS = {"next_free": "next_free_at", "fee": "lowest_fee", "name": "sorted_name"}


class PublicView(APIView):
    """Open to anybody. An invalid token is no reason to refuse."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class DoctorList(PublicView):
    @extend_schema(
        operation_id="listDoctors",
        examples=examples.DOCTORS,
        summary="Find doctors",
        parameters=[SearchQuery, *LIST_PARAMETERS, *_KEPT],
        responses={200: page_of(DoctorOut), 304: NOT_MODIFIED, **problems("validation")},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Doctors who can be booked, by their earliest free time unless asked otherwise."""
        now = timezone.now()
        search = in_one_currency(DoctorSearch(**read_query(SearchQuery, request)), now=now)
        doctors = search_doctors(search=search, now=now)
        items, page_info = paginate_rows(request, doctors, keys=[_KEYS[search.order], "id"])
        context = {"places": working_places(items, now=now)}
        shown = DoctorOut(items, many=True, context=context).data
        return public_response(request, {"items": shown, "pageInfo": page_info})


class DoctorDetail(PublicView):
    @extend_schema(
        operation_id="getDoctor",
        examples=examples.DOCTOR,
        summary="Look at one doctor",
        parameters=_KEPT,
        responses={200: DoctorOut, 304: NOT_MODIFIED, **problems("not-found")},
    )
    def get(self, request: Request, doctor_id: int) -> HttpResponseBase:
        """One doctor."""
        now = timezone.now()
        doctor = get_doctor_with_next_free(doctor_id, now=now)
        context = {"places": working_places([doctor], now=now)}
        return public_response(request, DoctorOut(doctor, context=context).data)


class DoctorSlots(PublicView):
    @extend_schema(
        operation_id="listFreeTimes",
        examples=examples.TIMES,
        summary="Free times of a doctor on a day",
        parameters=[DayQuery, *LIST_PARAMETERS, *_KEPT],
        responses={
            200: page_of(TimeOut),
            304: NOT_MODIFIED,
            **problems("not-found", "validation"),
        },
    )
    def get(self, request: Request, doctor_id: int) -> HttpResponseBase:
        """Times at which a visit can start on a day, each by the clock of its own clinic; all of
        them are free right now.
        """
        doctor = get_bookable_doctor(pk=doctor_id)
        query = read_query(DayQuery, request)
        visit_type = _visit_type(doctor, wanted=query.get("visit_type"))
        free = times_on_day(
            doctor=doctor, visit_type=visit_type, day=query["date"], now=timezone.now()
        )
        items, page_info = paginate_times(request, free)
        return public_response(
            request, {"items": TimeOut(items, many=True).data, "pageInfo": page_info}
        )


def _visit_type(doctor: Doctor, *, wanted: int | None) -> VisitType:
    visit_type = choose_visit_type(doctor, wanted=wanted)
    if visit_type is None or (wanted is not None and visit_type.pk != wanted):
        message = "This doctor has no such reason for a visit."
        raise FieldError("visit_type", message, field_code="unknown")
    return visit_type
