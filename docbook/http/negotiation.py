"""Which format an answer of the API has."""

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class QuickNegotiation(DefaultContentNegotiation):
    """Most programs accept anything, or our format by its name. Then there is nothing to weigh."""

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> Any:
        first = next(iter(renderers))
        accepts = request.META.get("HTTP_ACCEPT", "*/*")
        names_a_format = format_suffix or self.settings.URL_FORMAT_OVERRIDE in request.query_params
        if accepts in ("*/*", first.media_type) and not names_a_format:
            return first, first.media_type
        return super().select_renderer(request, renderers, format_suffix)
