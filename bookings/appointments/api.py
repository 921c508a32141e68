"""Cancelling through the API, and the times that a booking could move to."""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import UserRequest
from bookings import examples
from bookings.actors.holder import Holder
from bookings.appointments.selectors.appointments import times_to_move_to
from bookings.appointments.serializers import BookingOut, CancelIn, MoveQuery
from bookings.appointments.services.changes import cancel_appointment, find_changeable_appointment
from bookings.models import Appointment
from docbook.errors import FieldError
from docbook.http.header_schema import ETAG
from docbook.http.idempotency_key import answer_once
from docbook.http.pagination import paginate_times
from docbook.http.preconditions import IF_MATCH, seen_versions, with_etag_of_body
from docbook.http.problem_schema import BODY, KEY, problems
from docbook.http.schema import LIST_PARAMETERS, OPTIONAL_KEY
from docbook.http.serializers import NoBody, page_of, read_body, read_query
from docbook.http.throttling import enforce, limit_of
from doctors.rules import instants_of_days
from doctors.serializers import TimeOut

MOST_DAYS = 31


class CancelBooking(APIView):
    @extend_schema(
        operation_id="cancelBooking",
        examples=examples.CANCEL,
        summary="Cancel a visit",
        parameters=[IF_MATCH, OPTIONAL_KEY, ETAG],
        request=CancelIn,
        responses={
            200: BookingOut,
            **problems(
                *BODY,
                *KEY,
                "unauthenticated",
                "not-found",
                "not-changeable",
                "version-mismatch",
                "change-window-passed",
                "precondition-required",
                "rate-limited",
            ),
        },
    )
    def patch(self, request: UserRequest, booking_id: UUID) -> HttpResponseBase:
        """Calls the visit off; until `changeableUntil`. Cancelled again, it is the same answer."""
        enforce(limit_of("api-change", request._request))
        versions = seen_versions(request)
        reason = read_body(CancelIn, request)["reason"]

        def act() -> Response:
            appointment = cancel_appointment(
                appointment_id=booking_id,
                by=Holder(patient=request.user),
                version=versions,
                reason=reason,
                now=timezone.now(),
            )
            return Response(BookingOut(appointment).data)

        route = f"cancelBooking:{booking_id}"
        return with_etag_of_body(answer_once(request, route=route, act=act, required=False))


class MoveBooking(APIView):
    @extend_schema(
        operation_id="listTimesToMoveTo",
        examples=examples.OTHER_TIMES,
        summary="Times that a visit can move to",
        parameters=[IF_MATCH, MoveQuery, *LIST_PARAMETERS],
        request=None,
        responses={
            200: page_of(TimeOut),
            **problems(
                "unauthenticated",
                "not-found",
                "not-changeable",
                "version-mismatch",
                *BODY,
                "change-window-passed",
                "precondition-required",
                "rate-limited",
            ),
        },
    )
    def patch(self, request: UserRequest, booking_id: UUID) -> Response:
        """Free times of the same doctor for the same reason. Changes nothing: hold one of them by
        `POST bookings` with `replaces`, and the booking moves once that is confirmed.
        """
        enforce(limit_of("api-change", request._request))
        read_body(NoBody, request)
        now = timezone.now()
        appointment = find_changeable_appointment(
            appointment_id=booking_id,
            by=Holder(patient=request.user),
            version=seen_versions(request),
            now=now,
        )
        query = read_query(MoveQuery, request)
        first, last = _days(query, appointment=appointment, now=now)
        start, end = instants_of_days(first, last)
        free = times_to_move_to(appointment, start=start, end=end, now=now)
        free = [time for time in free if first <= time.local_day <= last]
        items, page_info = paginate_times(request, free)
        return Response({"items": TimeOut(items, many=True).data, "pageInfo": page_info})


def _days(query: dict[str, date], *, appointment: Appointment, now: datetime) -> tuple[date, date]:
    """Both days are included. Each time is on its day by its own clinic's clock."""
    first = query.get("from") or now.astimezone(appointment.zone).date()
    last = query.get("to") or first + timedelta(days=MOST_DAYS - 1)
    if not 0 <= (last - first).days < MOST_DAYS:
        message = f"This must be a day from `from` on, and within {MOST_DAYS} days."
        raise FieldError("to", message, field_code="out-of-range")
    return first, last
