"""The first page: search, and the specialties with their next free times."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from doctors.forms import SearchForm
from doctors.selectors.search import kept_specialties

POPULAR = 8


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    summaries = kept_specialties(now=timezone.now())
    context = {
        "search": SearchForm(),
        "specialty_cards": summaries[:POPULAR],
        "specialty_total": len(summaries),
        "doctor_total": sum(each.doctor_count for each in summaries),
        "nav": "doctors",
    }
    return render(request, "doctors/home.html", context)
