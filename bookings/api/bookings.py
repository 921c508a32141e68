"""Booking by the API: hold, code, confirmation, and reading what is booked."""

from typing import Any, NoReturn
from uuid import UUID

from django.db import transaction
from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from accounts.users import signed_in
from bookings.errors import SlotHeld, SlotTaken
from bookings.holder import Holder
from bookings.selectors.appointments import appointments_of_patient, get_appointment
from bookings.serializers import AttemptOut, BookingIn, BookingOut, BookingsQuery, CodeIn
from bookings.services.codes import Details, request_code, resend_code
from bookings.services.confirmation import confirm_booking
from bookings.services.holds import hold_slot, release_hold
from docbook.errors import FieldError
from docbook.http.idempotency_key import answer_once
from docbook.http.pagination import paginate_rows
from docbook.http.preconditions import IF_NONE_MATCH, versioned_response
from docbook.http.schema import IDEMPOTENCY_KEY, LIST_PARAMETERS, problems
from docbook.http.serializers import page_of
from docbook.http.throttling import limit_by_address, limit_by_value, limit_codes_to
from doctors.serializers import TimeOut

_API_NAMES = {"slot": "slotId", "visit_type": "visitTypeId"}


class BookingList(APIView):
    @extend_schema(
        operation_id="listBookings",
        parameters=[BookingsQuery, *LIST_PARAMETERS],
        responses={200: page_of(BookingOut), **problems(401, 422)},
    )
    def get(self, request: Request) -> Response:
        """The caller's own bookings, by their start."""
        query = BookingsQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        rows = appointments_of_patient(patient=signed_in(request)).filter(**_filters(query))
        items, page_info = paginate_rows(request, rows, keys=["starts_at", "id"])
        return Response({"items": BookingOut(items, many=True).data, "pageInfo": page_info})

    @extend_schema(
        operation_id="startBooking",
        parameters=[IDEMPOTENCY_KEY],
        request=BookingIn,
        responses={201: AttemptOut, **problems(400, 401, 409, 415, 422, 429)},
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Holds a time for five minutes and has a code sent to the caller's e-mail address."""
        _limit(request, group="api-hold", rate="30/m")
        body = BookingIn(data=request.data)
        body.is_valid(raise_exception=True)
        return answer_once(
            request, route="startBooking", act=lambda: _start(request, body.validated_data)
        )


class BookingDetail(APIView):
    @extend_schema(
        operation_id="getBooking",
        parameters=[IF_NONE_MATCH],
        responses={
            200: BookingOut,
            304: OpenApiResponse(description="As you have it."),
            **problems(401, 404),
        },
    )
    def get(self, request: Request, booking_id: UUID) -> HttpResponseBase:
        """One of the caller's own bookings."""
        found = get_appointment(appointment_id=booking_id, holder=_holder(request))
        return versioned_response(request, BookingOut(found).data, version=found.version)

    @extend_schema(
        operation_id="releaseBooking",
        responses={204: OpenApiResponse(description="Given back."), **problems(401, 404, 410)},
    )
    def delete(self, request: Request, booking_id: UUID) -> Response:
        """Gives a held time back. What is confirmed is not released but cancelled."""
        release_hold(hold_id=booking_id, holder=_holder(request))
        return Response(status=204)


class VerifyOtp(APIView):
    @extend_schema(
        operation_id="confirmBooking",
        request=CodeIn,
        responses={200: BookingOut, **problems(400, 401, 404, 409, 410, 415, 422, 429)},
    )
    def post(self, request: Request, booking_id: UUID) -> Response:
        """Confirms with the code; a repeat of a confirmed attempt gets the same booking."""
        _limit(request, group="api-confirm", rate="60/m")
        body = CodeIn(data=request.data)
        body.is_valid(raise_exception=True)
        appointment = confirm_booking(
            hold_id=booking_id, holder=_holder(request), code=body.validated_data["code"]
        )
        return Response(BookingOut(appointment).data)


class ResendOtp(APIView):
    @extend_schema(
        operation_id="resendCode",
        request=None,
        responses={202: AttemptOut, **problems(401, 404, 409, 410, 429)},
    )
    def post(self, request: Request, booking_id: UUID) -> Response:
        """Has a new code sent; the one before stops working."""
        _limit(request, group="api-code", rate="30/m")
        limit_codes_to(request._request, email=signed_in(request).email)
        hold = resend_code(hold_id=booking_id, holder=_holder(request), now=timezone.now())
        return Response(AttemptOut(hold).data, status=202)


def _start(request: Request, data: dict[str, Any]) -> Response:
    """Hold and code in one transaction: an attempt without its code helps nobody."""
    user, holder, now = signed_in(request), _holder(request), timezone.now()
    details = Details(
        first_name=user.first_name,
        last_name=user.last_name,
        email=user.email,
        phone=user.phone,
        reason=data["reason"],
    )
    try:
        with transaction.atomic():
            hold = hold_slot(
                slot_id=data["slotId"], visit_type_id=data["visitTypeId"], holder=holder, now=now
            )
            limit_codes_to(request._request, email=signed_in(request).email)
            hold = request_code(hold_id=hold.pk, holder=holder, details=details, now=now)
    except FieldError as error:
        raise FieldError(
            _API_NAMES[error.field], error.message, field_code=error.field_code
        ) from error
    except (SlotTaken, SlotHeld) as error:
        _raise_with_alternatives(error)
    location = reverse("api:booking", args=[hold.pk], request=request)
    return Response(AttemptOut(hold).data, status=201, headers={"Location": location})


def _raise_with_alternatives(error: SlotTaken | SlotHeld) -> NoReturn:
    error.extra["alternatives"] = TimeOut(error.alternatives, many=True).data
    raise error


def _filters(query: BookingsQuery) -> dict[str, Any]:
    columns = {
        "status": "status",
        "doctor_id": "doctor_id",
        "from": "starts_at__gte",
        "to": "starts_at__lt",
    }
    return {columns[name]: value for name, value in query.validated_data.items()}


def _limit(request: Request, *, group: str, rate: str) -> None:
    limit_by_address(request._request, group=group, rate=rate)
    limit_by_value(request._request, group=group, rate=rate, value=f"user-{request.user.pk}")


def _holder(request: Request) -> Holder:
    return Holder(patient=signed_in(request))
