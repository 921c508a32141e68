"""DocBook's own addresses and the inbox: the URL configuration of development and tests."""

from django.urls import include, path

from devstack.inbox import html_part, inbox
from docbook.urls import handler400, handler403, handler404, handler500

# Django looks for the error pages in its URL configuration, which is this one.
__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [
    path("dev/inbox/", inbox, name="dev-inbox"),
    path("dev/inbox/<str:key>/html/", html_part, name="dev-inbox-html"),
    path("", include("docbook.urls")),
]
