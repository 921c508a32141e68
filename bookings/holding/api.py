"""Booking through the API: hold, code, confirmation, and reading what is booked."""

from functools import cache, partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import AuthenticationFailed, ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView
from uuid_utils.compat import uuid7

from accounts.authentication import UserRequest
from bookings import examples
from bookings.actors.holder import Holder
from bookings.appointments.selectors.appointments import (
    appointments_of_patient,
    get_appointment,
    phone_known,
)
from bookings.appointments.serializers import (
    BookingOut,
    BookingsQuery,
    in_the_words_of_the_api,
)
from bookings.engine.selectors import refuse_what_is_over
from bookings.engine.services import release_hold
from bookings.holding.serializers import AttemptOut, BookingIn, CodeIn
from bookings.holding.services.codes import Recipient, destination_of, resend_code
from bookings.holding.services.confirmation import confirm_booking
from bookings.holding.services.holds import Started, start_booking
from docbook.errors import DomainError
from docbook.fibers import aside
from docbook.http.header_schema import ETAG, LOCATION
from docbook.http.idempotency_key import (
    Answer,
    answer_once,
    has_key,
    http_response,
    key_of,
    refusal_once,
    waiting_for_the_first,
)
from docbook.http.keyed_digest import address_key
from docbook.http.pagination import paginate_rows
from docbook.http.preconditions import (
    IF_NONE_MATCH,
    NOT_MODIFIED,
    etag,
    versioned_response,
    with_etag_of_body,
)
from docbook.http.problem_schema import BODY, KEY, problems
from docbook.http.schema import IDEMPOTENCY_KEY, LIST_PARAMETERS, OPTIONAL_KEY
from docbook.http.serializers import NoBody, body_of, page_of, read_body, read_query
from docbook.http.throttling import Limit, enforce, enforce_together, give_back, limit_of, limits_of


class BookingList(APIView):
    @property
    def believes_token(self) -> bool:
        return self.request.method == "POST"

    @extend_schema(
        operation_id="listBookings",
        examples=examples.VISITS,
        summary="Your own visits",
        parameters=[BookingsQuery, *LIST_PARAMETERS],
        responses={200: page_of(BookingOut), **problems("unauthenticated", "validation")},
    )
    def get(self, request: UserRequest) -> Response:
        """The caller's own bookings, by their start."""
        query = read_query(BookingsQuery, request)
        rows = appointments_of_patient(patient=request.user, **_filters(query))
        items, page_info = paginate_rows(request, rows, keys=["starts_at", "id"])
        return Response({"items": BookingOut(items, many=True).data, "pageInfo": page_info})

    @extend_schema(
        operation_id="startBooking",
        examples=examples.START,
        summary="Hold a time",
        parameters=[IDEMPOTENCY_KEY, LOCATION],
        request=BookingIn,
        responses={
            201: AttemptOut,
            **problems(
                *BODY,
                *KEY,
                "unauthenticated",
                "not-found",
                "slot-taken",
                "slot-held",
                "hold-limit",
                "appointment-limit",
                "patient-busy",
                "not-changeable",
                "outside-booking-window",
                "change-window-passed",
                "rate-limited",
                "booking-disabled",
            ),
        },
    )
    def post(self, request: UserRequest) -> HttpResponseBase:
        """Holds a time for five minutes and has a code sent to the caller, as `otp` says."""
        token: Any = request.auth
        if not token.mailbox:
            raise AuthenticationFailed
        codes = [limit_of("codes-to-owner", named=token.mailbox)]
        limits = limits_of("api-hold", request._request)
        answer: Answer | None = None
        try:
            # Before the body is read: a flood of wrong requests must cost little.
            enforce_together(*limits, *codes)
            asked = read_body(BookingIn, request)
            key = key_of(request, route="startBooking")
            try:
                if settings.CODE_CHANNEL == "sms":
                    aside(lambda: _count_sms(request, codes, **asked))
                with waiting_for_the_first():
                    started = start_booking(
                        hold_id=uuid7(),
                        slot_id=asked["slotId"],
                        visit_type_id=asked["visitTypeId"],
                        reason=asked["reason"],
                        phone=asked["phone"],
                        holder=Holder(patient=request.user),
                        address=address_key(request._request),
                        replaces=asked.get("replaces"),
                        now=timezone.now(),
                        key=key,
                    )
                    answer = _answer_of(started)
            except DomainError as error:
                refusal = in_the_words_of_the_api(error)
                return aside(lambda: refusal_once(key, refusal))
        finally:
            if answer is None or answer.is_replay:  # no code is on its way
                give_back(*codes)
        return http_response(answer)


class BookingDetail(APIView):
    @extend_schema(
        operation_id="getBooking",
        examples=examples.VISIT,
        summary="Look at one visit",
        parameters=[IF_NONE_MATCH, ETAG],
        responses={
            200: BookingOut,
            304: NOT_MODIFIED,
            **problems("unauthenticated", "not-found"),
        },
    )
    def get(self, request: UserRequest, booking_id: UUID) -> HttpResponseBase:
        """One of the caller's own bookings."""
        holder = Holder(patient=request.user)
        found = get_appointment(appointment_id=booking_id, holder=holder)
        return versioned_response(request, BookingOut(found).data, version=found.version)

    @extend_schema(
        operation_id="releaseBooking",
        summary="Give a held time back",
        responses={
            204: OpenApiResponse(description="Given back."),
            **problems("unauthenticated", "not-found", "already-confirmed"),
        },
    )
    def delete(self, request: UserRequest, booking_id: UUID) -> Response:
        """Gives a held time back. What is confirmed is not released but cancelled."""
        release_hold(hold_id=booking_id, holder=Holder(patient=request.user))
        return Response(status=204)


class VerifyOtp(APIView):
    believes_token = True

    @extend_schema(
        operation_id="confirmBooking",
        examples=examples.CONFIRM,
        summary="Confirm with the code",
        parameters=[OPTIONAL_KEY, ETAG],
        request=CodeIn,
        responses={
            200: BookingOut,
            **problems(
                *BODY,
                *KEY,
                "unauthenticated",
                "not-found",
                "details-missing",
                "appointment-limit",
                "patient-busy",
                "not-changeable",
                "hold-expired",
                "otp-invalid",
                "otp-locked",
                "rate-limited",
            ),
        },
    )
    def post(self, request: UserRequest, booking_id: UUID) -> HttpResponseBase:
        """Confirms with the code; a repeat of a confirmed attempt gets the same booking. With a key
        of your own, a retry whose answer was lost counts no second wrong code.
        """
        enforce_together(*limits_of("api-confirm", request._request))
        try:
            code = read_body(CodeIn, request)["code"]
        except ValidationError:
            holder = Holder(patient=request.user)
            aside(lambda: refuse_what_is_over(hold_id=booking_id, holder=holder))
            raise
        if has_key(request):
            route = f"confirmBooking:{booking_id}"
            act = partial(_confirm, request, booking_id, code)
            return with_etag_of_body(aside(lambda: answer_once(request, route=route, act=act)))
        visit = confirm_booking(hold_id=booking_id, holder=Holder(patient=request.user), code=code)
        answer = http_response(Answer(200, body_of(BookingOut, visit)))
        answer.headers["ETag"] = etag(visit.version)
        return answer


class ResendOtp(APIView):
    @extend_schema(
        operation_id="resendCode",
        examples=examples.RESEND,
        summary="Send a new code",
        parameters=[OPTIONAL_KEY],
        request=None,
        responses={
            202: AttemptOut,
            **problems(
                *KEY,
                "malformed",
                "validation",
                "unauthenticated",
                "not-found",
                "details-missing",
                "already-confirmed",
                "hold-expired",
                "unsupported-media-type",
                "rate-limited",
            ),
        },
    )
    def post(self, request: UserRequest, booking_id: UUID) -> HttpResponseBase:
        """Has a new code sent; the one before stops working. With a key of your own, a retry whose
        answer was lost sends no second one.
        """
        enforce(*limits_of("api-code", request._request))
        read_body(NoBody, request)
        route = f"resendCode:{booking_id}"
        return answer_once(
            request, route=route, act=lambda: _resend(request, booking_id), required=False
        )


def _answer_of(started: Started | Answer) -> Answer:
    """The same for a retry as for the first request."""
    if isinstance(started, Answer):
        return started
    # Never from the Host header: its sender would control its length and what is replayed.
    location = f"{settings.SITE_URL}{_address_of_bookings()}{started.hold.pk}"
    body = body_of(AttemptOut, started.hold)
    return Answer(201, body, location, is_replay=started.is_replay)


@cache
def _address_of_bookings() -> str:
    """Looked up once: all addresses of bookings begin like this one."""
    nobodys = str(UUID(int=0))
    return reverse("api:booking", args=[nobodys]).removesuffix(nobodys)


def _resend(request: UserRequest, booking_id: UUID) -> Response:
    holder = Holder(patient=request.user)
    hold = resend_code(hold_id=booking_id, holder=holder, now=timezone.now())
    return Response(AttemptOut(hold).data, status=202)


def _confirm(request: UserRequest, booking_id: UUID, code: str) -> Response:
    holder = Holder(patient=request.user)
    appointment = confirm_booking(hold_id=booking_id, holder=holder, code=code)
    return Response(BookingOut(appointment).data)


def _filters(query: dict[str, Any]) -> dict[str, Any]:
    columns = {
        "status": "status",
        "doctor_id": "doctor_id",
        "from": "starts_at__gte",
        "to": "starts_at__lt",
    }
    return {columns[name]: value for name, value in query.items()}


def _count_sms(
    request: UserRequest,
    counted: list[Limit],
    *,
    phone: str,
    replaces: UUID | None = None,
    **_rest: object,
) -> None:
    """Adds the limit of the number that the code goes to. Raises RateLimited."""
    patient = request.user
    known = phone or phone_known(patient=patient, moves=replaces)
    to = destination_of(Recipient(patient.pk, "", known))
    if to.channel == "sms":
        counted.append(limit_of("codes-to-phone", named=to.address))
        enforce(counted[-1])
