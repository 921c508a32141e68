"""Who may hear that something on a doctor's days has changed."""

from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from accounts.practice_sessions import of_the_practice
from accounts.users import signed_in
from doctors.models import Doctor
from doctors.selectors.doctors import chosen_of, doctors_run_by


@dataclass(frozen=True)
class Listener:
    person: int
    doctors: list[int]


@of_the_practice
@require_safe
@login_required
def may_listen(request: HttpRequest, doctor_id: int) -> HttpResponse:
    """204 for those who may read the schedules of this doctor and of all that `with` names; 404 for
    anybody else.

    The process of docbook.events asks this view, and then writes the stream itself. A browser that
    gets 204 knows that there is no stream here.
    """
    user = signed_in(request)
    run = list(doctors_run_by(user))
    wanted = [str(doctor_id), *request.GET.getlist("with")]
    response = HttpResponse(status=204)
    found = [chosen_of(run, wanted=each).pk for each in wanted if each]
    response.listener = Listener(user.pk, found)  # type: ignore[attr-defined]
    return response


def stream_of(doctors: list[Doctor]) -> str:
    """The address that tells of the changes of all of them."""
    first, *others = doctors
    url = reverse("bookings:live", args=[first.pk])
    return f"{url}?{urlencode([('with', each.pk) for each in others])}" if others else url
