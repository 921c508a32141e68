"""The API: Django REST framework, its tokens and its description."""

from datetime import timedelta

ACCESS_TOKEN_LIFETIME = timedelta(minutes=10)
REFRESH_TOKEN_LIFETIME = timedelta(days=14)
# The keys are in JWT_KEYS; see accounts.tokens.
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "ISSUER": "docbook",
    "AUDIENCE": "docbook-api",
    "LEEWAY": 30,  # app servers' clocks differ
    "USER_ID_CLAIM": "sub",
    "TOKEN_TYPE_CLAIM": "typ",
    "JTI_CLAIM": None,  # the id of a refresh token is its session's
    "ACCESS_TOKEN_LIFETIME": ACCESS_TOKEN_LIFETIME,
    "REFRESH_TOKEN_LIFETIME": REFRESH_TOKEN_LIFETIME,
    "AUTH_TOKEN_CLASSES": ["accounts.tokens.AccessToken"],
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["docbook.http.parsers.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "docbook.http.negotiation.QuickNegotiation",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "docbook.http.problems.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "DocBook API",
    "DESCRIPTION": "Find a doctor, hold a time, confirm it with a one-time code.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": False,  # a change takes the whole object as well
    "LICENSE": {"name": "MIT", "identifier": "MIT"},
    "CONTACT": {"name": "The team that runs this server"},
    "SERVERS": [{"url": "/", "description": "The server that this description comes from."}],
    "TAGS": [
        {"name": "auth", "description": "Tokens of an app: signing in, and staying signed in."},
        {"name": "bookings", "description": "Holding a time, confirming it, changing the visit."},
        {"name": "doctors", "description": "Who can be booked and when; a doctor's own day."},
        {"name": "me", "description": "The account of the token."},
        {"name": "waitlist", "description": "Waiting for a time, and taking one that is offered."},
    ],
    "PATH_CONVERTER_OVERRIDES": {
        "id": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 2**63 - 1},
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "docbook.http.problem_schema.add_problems",
        "docbook.http.header_schema.add_headers",
        "docbook.http.examples.add_examples_of_parameters",
    ],
    "ENUM_NAME_OVERRIDES": {
        "AppointmentStatus": "bookings.states.AppointmentStatus",
        "VisitMode": "doctors.models.schedule.Mode.for_visits",
        "WaitlistState": "bookings.models.waitlist.WaitlistState",
        "CodeChannel": "bookings.holding.serializers.CHANNELS",
    },
}
