"""The waitlist in the API: joining, looking, leaving, and taking an offer."""

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import UserRequest
from bookings import examples
from bookings.actors.holder import Holder
from bookings.appointments.serializers import BookingOut
from bookings.engine.selectors import refuse_what_is_over
from bookings.waitlist.selectors import entries_of_patient, get_entry
from bookings.waitlist.serializers import AcceptIn, WaitlistEntryOut, WaitlistIn, WaitlistQuery
from bookings.waitlist.services.entries import WaitlistRequest, join_waitlist, leave_waitlist
from bookings.waitlist.services.offers import accept_offer
from docbook.errors import FieldError
from docbook.http.header_schema import ETAG
from docbook.http.idempotency_key import answer_once
from docbook.http.pagination import paginate_rows
from docbook.http.preconditions import with_etag_of_body
from docbook.http.problem_schema import BODY, KEY, problems
from docbook.http.schema import IDEMPOTENCY_KEY, LIST_PARAMETERS
from docbook.http.serializers import page_of, read_body, read_query
from docbook.http.throttling import enforce, limits_of

# The fields of WaitlistRequest, under the API's names.
_FIELDS = {
    "doctorId": "doctor_id",
    "visitTypeId": "visit_type_id",
    "from": "from_on",
    "until": "until_on",
    "dayFrom": "day_from",
    "dayUntil": "day_until",
}
_API_NAMES = {name: api for api, name in _FIELDS.items()} | {
    "doctor": "doctorId",
    "visit_type": "visitTypeId",
}


class Waitlist(APIView):
    @extend_schema(
        operation_id="listWaitlist",
        examples=examples.WAITS,
        summary="What you wait for",
        parameters=[WaitlistQuery, *LIST_PARAMETERS],
        responses={
            200: page_of(WaitlistEntryOut),
            **problems("unauthenticated", "validation"),
        },
    )
    def get(self, request: UserRequest) -> Response:
        """The caller's own entries, oldest first, each with the time that is held for it now."""
        query = read_query(WaitlistQuery, request)
        asked = {"state": query["status"]} if "status" in query else {}
        rows = entries_of_patient(request.user, **asked)
        items, page_info = paginate_rows(request, rows, keys=["created_at", "id"])
        return Response({"items": WaitlistEntryOut(items, many=True).data, "pageInfo": page_info})

    @extend_schema(
        operation_id="joinWaitlist",
        examples=examples.WAIT,
        summary="Wait for a time",
        parameters=[IDEMPOTENCY_KEY],
        request=WaitlistIn,
        responses={
            200: OpenApiResponse(WaitlistEntryOut, description="You wait for this already."),
            201: WaitlistEntryOut,
            **problems(*BODY, *KEY, "unauthenticated", "waitlist-limit", "rate-limited"),
        },
    )
    def post(self, request: UserRequest) -> HttpResponseBase:
        """Waits for a time. When one is free, it is held for fifteen minutes and a link is sent;
        unanswered, it passes on to the next person. One that is free already is offered within five
        minutes: booking it is faster. In the quiet hours of the server,
        by the clock of the clinic, only times are offered that begin before their end.
        """
        enforce(*limits_of("api-waitlist", request._request))
        wanted = read_body(WaitlistIn, request)
        return answer_once(request, route="joinWaitlist", act=lambda: _join(request, wanted))


class WaitlistEntryDetail(APIView):
    @extend_schema(
        operation_id="leaveWaitlist",
        summary="Stop waiting",
        responses={
            204: OpenApiResponse(description="Left."),
            **problems("unauthenticated", "not-found"),
        },
    )
    def delete(self, request: UserRequest, entry_id: UUID) -> Response:
        """Waits no longer; a time that is held for this entry goes to the next person."""
        leave_waitlist(entry_id=entry_id, patient=request.user)
        return Response(status=204)


class AcceptOffer(APIView):
    @extend_schema(
        operation_id="acceptOffer",
        examples=examples.ACCEPT,
        summary="Take an offered time",
        parameters=[IDEMPOTENCY_KEY, ETAG],
        request=AcceptIn,
        responses={
            200: BookingOut,
            **problems(
                *BODY,
                *KEY,
                "unauthenticated",
                "not-found",
                "patient-busy",
                "appointment-limit",
                "not-changeable",
                "hold-expired",
                "otp-locked",
                "rate-limited",
            ),
        },
    )
    def post(self, request: UserRequest, offer_id: UUID) -> HttpResponseBase:
        """Books the time that is held, without a code. `DELETE bookings/{offerId}` declines it."""
        enforce(*limits_of("api-waitlist", request._request))
        patient = request.user
        try:
            phone = read_body(AcceptIn, request)["phone"]
        except ValidationError:
            refuse_what_is_over(hold_id=offer_id, holder=Holder(patient=patient))
            raise

        def act() -> Response:
            taken = accept_offer(offer_id=offer_id, patient=patient, phone=phone)
            return Response(BookingOut(taken).data)

        route = f"acceptOffer {offer_id}"
        return with_etag_of_body(answer_once(request, route=route, act=act))


def _join(request: UserRequest, data: dict[str, Any]) -> Response:
    patient = request.user
    fields = {_FIELDS.get(name, name): value for name, value in data.items()}
    if "weekdays" in fields:
        fields["weekdays"] = tuple(fields["weekdays"])
    try:
        entry, is_new = join_waitlist(
            patient=patient, wanted=WaitlistRequest(**fields), now=timezone.now()
        )
    except FieldError as error:
        field = _API_NAMES.get(error.field, error.field)
        raise FieldError(field, error.message, field_code=error.field_code) from error
    shown = get_entry(entry_id=entry.pk, patient=patient)
    return Response(WaitlistEntryOut(shown).data, status=201 if is_new else 200)
