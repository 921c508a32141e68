"""Swagger UI from our own host, under our own content security policy."""

from typing import Any

from csp.decorators import csp_update
from django.http import HttpResponseBase
from django.utils.decorators import method_decorator
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny


# Its stylesheet draws arrows as data: images.
@method_decorator(csp_update({"img-src": ["data:"]}), name="dispatch")
class SwaggerView(SpectacularSwaggerSplitView):
    """A policy without inline scripts needs the split view, which has its script in a
    separate file.
    """

    permission_classes = (AllowAny,)
    authentication_classes = ()
    url_name = "api:schema"

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response
