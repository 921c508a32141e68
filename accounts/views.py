"""Account pages that django-allauth does not have."""

from allauth.account.internal.flows.login_by_code import LoginCodeVerificationProcess
from allauth.account.views import PasswordResetFromKeyView
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import account_events
from accounts.known_browsers import remember_browser
from accounts.known_networks import remember_network
from accounts.tokens import live_sessions
from accounts.users import signed_in


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_again(request: HttpRequest) -> HttpResponse:
    """Sends a code to the user's own address, before a change to an account without a password."""
    if request.method != "POST":
        return render(request, "account/sign_in_again.html")
    user = signed_in(request)
    logout(request)
    LoginCodeVerificationProcess.initiate(request=request, user=user, email=user.email)
    return redirect("account_confirm_login_code")


class ChoosePassword(PasswordResetFromKeyView):  # type: ignore[misc]  # allauth has no types
    """Opened by the link of a mail. The visitor has the mailbox, so this browser can sign in with
    the new password even if strangers have used up all tries. So can an app on the same network.
    """

    def form_valid(self, form: Form) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        remember_browser(self.request, response, user=self.reset_user)
        remember_network(self.request, user=self.reset_user)
        return response


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def sessions(request: HttpRequest) -> HttpResponse:
    """The apps that are signed in, and a button that ends all sessions but this one."""
    user = signed_in(request)
    if request.method == "POST":
        account_events.record("sessions_ended", user)
        account_events.end_sessions(user)
        messages.success(request, _("You are signed out everywhere else."))
        return redirect("account_sessions")
    apps = live_sessions(user, now=timezone.now(), most=50)
    return render(request, "account/sessions.html", {"apps": apps})
