"""A doctor's appointments, for people who run their day."""

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import second_factor
from accounts.authentication import UserRequest
from accounts.services import SecondFactorRequired
from bookings import examples
from bookings.actors.practice_member import PracticeMember
from bookings.appointments.selectors.appointments import appointments_of_day
from bookings.appointments.serializers import BookingOut
from bookings.schedule.serializers import DoctorAppointmentsQuery
from bookings.schedule.services import record_reading_of_day
from docbook.http.pagination import paginate_rows
from docbook.http.problem_schema import problems
from docbook.http.schema import LIST_PARAMETERS
from docbook.http.serializers import page_of, read_query
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
            record_reading_of_day(reader=reader, doctor=doctor, day=query["date"], through="api")
        data = BookingOut(items, many=True, context={"without_patient": not shown}).data
        return Response({"items": data, "pageInfo": page_info})
