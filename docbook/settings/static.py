"""Static files: collected under names made from their content, which browsers may keep forever."""

from pathlib import Path

from whitenoise.compress import Compressor

from docbook.http.static_headers import open_to_mail

BASE_DIR = Path(__file__).resolve().parents[2]

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT: str | Path | None = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "docbook.http.static_files.BundledStaticFilesStorage"},
}
WHITENOISE_ADD_HEADERS_FUNCTION = open_to_mail
# Only a debugger asks for maps of scripts.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")
