"""The entry of web processes."""

import os
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "docbook.settings.prod")


class Request(WSGIRequest):
    """Some charsets are known to Python but decode no text, like "hex". They must not cause an
    error: the request is read as UTF-8 and refused by RequestGuardMiddleware.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]  # Django's own hook
        except (LookupError, UnicodeError):
            self._encoding = None


application = get_wsgi_application()
application.request_class = Request
