"""`/dev/inbox/`: the mails that the sink has caught. Development and test settings only.

`?format=json` gives `[{key, to, subject, text, html, attachments, receivedAt}]`, newest first;
`&to=ADDRESS` only mails to that address. An attachment is `{filename, contentType, content}`: text
as it is, anything else in base64.
"""

import base64
import email.policy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from email.utils import getaddresses
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

LIMIT = 200
# A mail is foreign content: no scripts, no origin of its own, and it may load only our logo.
MAIL_POLICY = "sandbox; default-src 'none'; img-src data: 'self'; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class Attachment:
    filename: str
    content_type: str
    content: str


@dataclass(frozen=True)
class Mail:
    key: str
    to: list[str]
    subject: str
    text: str
    html: str
    attachments: list[Attachment]
    received_at: datetime

    def as_json(self) -> dict[str, object]:
        return {
            "key": self.key,
            "to": ", ".join(self.to),
            "subject": self.subject,
            "text": self.text,
            "html": self.html,
            "attachments": [
                {
                    "filename": part.filename,
                    "contentType": part.content_type,
                    "content": part.content,
                }
                for part in self.attachments
            ],
            "receivedAt": self.received_at.isoformat(),
        }


@require_safe
def inbox(request: HttpRequest) -> HttpResponseBase:
    address = request.GET.get("to", "").strip()
    mails = list(islice(_mails(to=address), LIMIT))
    if request.GET.get("format") == "json":
        return JsonResponse([mail.as_json() for mail in mails], safe=False)
    context = {"mails": mails, "address": address, "quiet_hours": _quiet_hours()}
    return render(request, "devstack/inbox.html", context)


@require_safe
def html_part(_request: HttpRequest, key: str) -> HttpResponse:
    """The HTML version of one mail, as a separate document that can do nothing."""
    path = next((path for path in _files() if path.name == key), None)
    if path is None:
        raise Http404
    return HttpResponse(_read(path).html, headers={"Content-Security-Policy": MAIL_POLICY})


def _quiet_hours() -> tuple[time, time] | None:
    """Why the waitlist sends nothing at night; None if it always sends."""
    begin, end = settings.WAITLIST_QUIET_HOURS
    return None if begin == end else (begin, end)


def _mails(*, to: str) -> Iterator[Mail]:
    for path in _files():
        mail = _read(path)
        if not to or to.casefold() in map(str.casefold, mail.to):
            yield mail


def _files() -> list[Path]:
    """Newest first, by the file's time: names in a Maildir have whole seconds only."""
    box = Path(settings.DEV_MAILDIR)
    paths = [path for name in ("new", "cur") for path in (box / name).glob("*")]
    return sorted(paths, key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)


def _read(path: Path) -> Mail:
    message = BytesParser(EmailMessage, policy=email.policy.default).parsebytes(path.read_bytes())
    text, html = (message.get_body(preferencelist=(kind,)) for kind in ("plain", "html"))
    return Mail(
        key=path.name,
        to=_recipients(message),
        subject=" ".join(str(message.get("Subject", "")).split()),
        text=_content(text),
        html=_content(html),
        attachments=[_attachment(part) for part in _other_parts(message, text, html)],
        received_at=datetime.fromtimestamp(path.stat().st_mtime, tz=UTC),
    )


def _recipients(message: EmailMessage) -> list[str]:
    """Recipients in the envelope, as the sink recorded them. The header may name others, or
    nobody.
    """
    noted = message.get_all("X-RcptTo") or message.get_all("To") or []
    return [address for _, address in getaddresses([str(value) for value in noted])]


def _other_parts(message: EmailMessage, *bodies: MIMEPart | None) -> Iterator[MIMEPart]:
    for part in message.walk():
        if not part.is_multipart() and not any(part is body for body in bodies):
            yield part


def _attachment(part: MIMEPart) -> Attachment:
    content = _content(part) if part.get_content_maintype() == "text" else _base64(part)
    return Attachment(part.get_filename() or "", part.get_content_type(), content)


def _content(part: MIMEPart | None) -> str:
    return str(part.get_content()) if part else ""


def _base64(part: MIMEPart) -> str:
    payload = part.get_payload(decode=True)
    return base64.b64encode(payload if isinstance(payload, bytes) else b"").decode()
