"""Headers of single static files."""

from collections.abc import MutableMapping


def open_to_mail(headers: MutableMapping[str, str], _path: str, url: str) -> None:
    """Lets the web pages of mail providers show the picture in our mails."""
    if "/img/mark-email." in url:
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
