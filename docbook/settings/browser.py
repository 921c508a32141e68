"""What a browser may do with our pages, and how much it may send."""

from csp.constants import NONE, SELF

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "object-src": [NONE],  # default-src already says so; scanners look for the name
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    feature: [] for feature in ("camera", "geolocation", "microphone", "payment", "usb")
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_ENGINE = "docbook.http.kept_sessions"
SESSION_COOKIE_HTTPONLY = True
MESSAGE_STORAGE = "docbook.http.message_storage.MessageStorage"
MESSAGE_COOKIE_NAME = "messages"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "docbook.http.pages.csrf_failure"
# The largest forms are in the admin, with a doctor's hours. The API's parser has its own limits.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 1  # of a calendar; docbook.http.limits has its size
