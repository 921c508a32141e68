"""Headers of single static files."""

from collections.abc import MutableMapping


def open_to_mail(headers: MutableMapping[str, str], _path: str, url: str) -> None:
    """The picture in our mails is shown by web pages of other sites: those that people read mail
    with.
    """
    if "/img/mark-email." in url:
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
