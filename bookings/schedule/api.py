"""A doctor's appointments, and what became of them, for people who run the day."""

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView
from uuid_utils.compat import uuid7

from accounts import second_factor
from accounts.authentication import UserRequest
from accounts.models import User
from accounts.services import NewPatient, SecondFactorRequired
from bookings import examples
from bookings.actors.practice_member import PracticeMember
from bookings.appointments.selectors.appointments import appointments_of_day
from bookings.appointments.serializers import BookingOut, in_the_words_of_the_api
from bookings.models import Appointment
from bookings.schedule.acts import Act, perform
from bookings.schedule.desk.desk_page import Caller
from bookings.schedule.desk.services import (
    book_for_patient,
    caller_behind,
    caller_key,
    search_callers,
)
from bookings.schedule.desk.typed_words import typed_words
from bookings.schedule.serializers import (
    ActIn,
    BookCallerIn,
    CallersIn,
    CallersOut,
    DoctorAppointmentsQuery,
    MoveIn,
)
from bookings.schedule.services import move_visit, record_reading
from docbook.errors import DomainError
from docbook.http.header_schema import ETAG
from docbook.http.idempotency_key import answer_once
from docbook.http.pagination import paginate_rows
from docbook.http.preconditions import IF_MATCH, seen_versions, with_etag_of_body
from docbook.http.problem_schema import BODY, KEY, problems
from docbook.http.schema import IDEMPOTENCY_KEY, LIST_PARAMETERS, OPTIONAL_KEY
from docbook.http.serializers import page_of, read_body, read_query
from docbook.http.throttling import enforce, limit_of
from doctors.models import Doctor
from doctors.selectors.doctors import get_visible_doctor


class DoctorAppointments(APIView):
    @extend_schema(
        operation_id="listDoctorAppointments",
        examples=examples.VISITS,
        summary="The day of a doctor",
        parameters=[DoctorAppointmentsQuery, *LIST_PARAMETERS],
        responses={
            200: page_of(BookingOut),
            **problems("unauthenticated", "second-factor-required", "not-found", "validation"),
        },
    )
    def get(self, request: UserRequest, doctor_id: int) -> Response:
        """Of one day, by the clock of each visit's clinic; for the doctor, their secretaries and
        staff. Others get 404. Staff need a right of their own to read who comes and why; without
        it these texts are empty.
        """
        if second_factor.is_missing(request.user):
            raise SecondFactorRequired
        doctor = get_visible_doctor(request.user, doctor_id=doctor_id)
        query = read_query(DoctorAppointmentsQuery, request)
        asked = {name: value for name, value in query.items() if name != "date"}
        rows = appointments_of_day(doctor=doctor, day=query["date"], **asked)
        items, page_info = paginate_rows(request, rows, keys=["starts_at", "id"])
        reader = PracticeMember(request.user)
        shown = reader.may_read_patients(doctor)
        if shown and items:
            record_reading(reader=reader, doctor=doctor, days=[query["date"]], through="api")
        data = BookingOut(items, many=True, context={"without_patient": not shown}).data
        return Response({"items": data, "pageInfo": page_info})

    @extend_schema(
        operation_id="bookCaller",
        examples=examples.BOOK_CALLER,
        summary="Book somebody at once",
        parameters=[IDEMPOTENCY_KEY],
        request=BookCallerIn,
        responses={
            201: BookingOut,
            **problems(
                *BODY,
                *KEY,
                "unauthenticated",
                "second-factor-required",
                "not-found",
                "outside-booking-window",
                "patient-busy",
                "slot-taken",
                "rate-limited",
            ),
        },
    )
    def post(self, request: UserRequest, doctor_id: int) -> HttpResponseBase:
        """For the practice, while somebody is on the phone: without a code, at any free time that
        has not begun. The patient is told by mail, or by SMS if they have no e-mail address.
        """
        if second_factor.is_missing(request.user):
            raise SecondFactorRequired
        enforce(limit_of("practice-change", request._request))
        asked = read_body(BookCallerIn, request)
        reader = PracticeMember(request.user)

        def act() -> Response:
            doctor = get_visible_doctor(request.user, doctor_id=doctor_id)
            try:
                visit = _book(asked, doctor=doctor, by=reader)
            except DomainError as error:
                raise in_the_words_of_the_api(error) from error
            hidden = {"without_patient": not reader.may_read_patients(doctor)}
            return Response(BookingOut(visit, context=hidden).data, status=201)

        return answer_once(request, route=f"bookCaller:{doctor_id}", act=act)


def _book(asked: dict[str, Any], *, doctor: Doctor, by: PracticeMember) -> Appointment:
    patient = _patient(asked, by=by)
    return book_for_patient(
        booking_id=uuid7(),
        doctor=doctor,
        visit_type_id=asked["visitTypeId"],
        slot_id=asked["slotId"],
        patient=patient,
        phone=asked["phone"] or patient.phone,
        reason=asked["reason"],
        by=by,
        now=timezone.now(),
    )


def _patient(asked: dict[str, Any], *, by: PracticeMember) -> User | NewPatient:
    if asked["caller"]:
        return caller_behind(asked["caller"], by=by)
    return NewPatient(
        first_name=asked["firstName"],
        last_name=asked["lastName"],
        phone=asked["phone"],
        email=asked["email"],
        born_on=asked["bornOn"],
    )


class Callers(APIView):
    @extend_schema(
        operation_id="findCallers",
        examples=examples.CALLERS,
        summary="Find who is calling",
        request=CallersIn,
        responses={
            200: CallersOut,
            **problems(
                *BODY, "unauthenticated", "second-factor-required", "not-found", "rate-limited"
            ),
        },
    )
    def post(self, request: UserRequest, doctor_id: int) -> Response:
        """Patients of this doctor by parts of a name or number and by birthday, best first; anybody
        else only by a whole e-mail address or a whole number with its country, and masked. Empty
        if the words could mean too many people. Words are in the body, because names do not belong
        into addresses.
        """
        if second_factor.is_missing(request.user):
            raise SecondFactorRequired
        enforce(limit_of("desk-search", request._request))
        typed = typed_words(read_body(CallersIn, request)["words"])
        doctor = get_visible_doctor(request.user, doctor_id=doctor_id)
        by = PracticeMember(request.user)
        found = search_callers(typed, doctor=doctor, doctors=[doctor], by=by, through="api")
        callers = [Caller(caller_key(each, by=by), each) for each in found]
        return Response(CallersOut({"items": callers}).data)


class MarkBooking(APIView):
    @extend_schema(
        operation_id="markBooking",
        examples=examples.MARK,
        summary="Record how a visit goes",
        parameters=[IF_MATCH, OPTIONAL_KEY, ETAG],
        request=ActIn,
        responses={
            200: BookingOut,
            **problems(
                *BODY,
                *KEY,
                "unauthenticated",
                "second-factor-required",
                "not-found",
                "not-changeable",
                "version-mismatch",
                "precondition-required",
                "rate-limited",
            ),
        },
    )
    def patch(self, request: UserRequest, booking_id: UUID) -> HttpResponseBase:
        """For the doctor, their secretaries and staff; others get 404. `undo` takes back the last
        mark. The practice can cancel at any time, and has to say why. An act that has been done
        already gives the same answer.
        """
        if second_factor.is_missing(request.user):
            raise SecondFactorRequired
        enforce(limit_of("practice-change", request._request))
        versions = seen_versions(request)
        asked = read_body(ActIn, request)
        reader = PracticeMember(request.user)

        def act() -> Response:
            appointment = perform(
                Act(asked["act"]),
                appointment_id=booking_id,
                by=reader,
                version=versions,
                reason=asked["reason"],
                now=timezone.now(),
            )
            hidden = {"without_patient": not reader.may_read_patients(appointment.doctor)}
            return Response(BookingOut(appointment, context=hidden).data)

        route = f"markBooking:{booking_id}"
        return with_etag_of_body(answer_once(request, route=route, act=act, required=False))


class MoveVisit(APIView):
    @extend_schema(
        operation_id="moveVisit",
        examples=examples.MOVE,
        summary="Move a visit for the practice",
        parameters=[IF_MATCH, IDEMPOTENCY_KEY, ETAG],
        request=MoveIn,
        responses={
            200: BookingOut,
            **problems(
                *BODY,
                *KEY,
                "unauthenticated",
                "second-factor-required",
                "not-found",
                "not-changeable",
                "outside-booking-window",
                "patient-busy",
                "slot-taken",
                "version-mismatch",
                "precondition-required",
                "rate-limited",
            ),
        },
    )
    def post(self, request: UserRequest, booking_id: UUID) -> HttpResponseBase:
        """For the doctor, their secretaries and staff who may read who comes; others get 404. The
        visit moves at once, to any free time of the same doctor that has not begun, and the patient
        is told if we can write to them. The answer is the new booking, whose `replaces` names the
        old one.
        """
        if second_factor.is_missing(request.user):
            raise SecondFactorRequired
        enforce(limit_of("practice-change", request._request))
        versions = seen_versions(request)
        asked = read_body(MoveIn, request)
        mover = PracticeMember(request.user)

        def act() -> Response:
            try:
                moved = move_visit(
                    appointment_id=booking_id,
                    slot_id=asked["slotId"],
                    by=mover,
                    version=versions,
                    reason=asked["reason"],
                    anyway=asked["anyway"],
                    now=timezone.now(),
                )
            except DomainError as error:
                raise in_the_words_of_the_api(error) from None
            return Response(BookingOut(moved).data)

        return with_etag_of_body(answer_once(request, route=f"moveVisit:{booking_id}", act=act))
