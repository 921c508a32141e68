"""Where a sign-in leads if no page was asked for."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from accounts.users import signed_in
from doctors.selectors.doctors import runs_a_day


@require_safe
@login_required
def after_sign_in(request: HttpRequest) -> HttpResponseRedirect:
    """Leads to a doctor's day, to the admin, or to one's own visits."""
    user = signed_in(request)
    if runs_a_day(user):
        return redirect("bookings:schedule")
    return redirect("admin:index" if user.is_staff else "bookings:appointments")
