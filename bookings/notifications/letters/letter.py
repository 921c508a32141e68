"""What all mails share: text, HTML, and a Message-ID that stays the same in a repeat."""

from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from docbook.notify.letters import Letter


def letter(template: str, *, to: str, context: dict[str, Any], name: str) -> Letter:
    """Subject, text and HTML from `templates/bookings/notifications/email/<template>.*`.

    `name` identifies the fact; the same fact has the same Message-ID (RFC 5322, 3.6.4).
    """
    context = {"base_url": settings.SITE_URL, **context}
    subject, text, html = (
        render_to_string(f"bookings/notifications/email/{template}.{part}", context)
        for part in ("subject.txt", "txt", "html")
    )
    mail = Letter(
        subject=" ".join(subject.split()),
        body=text,
        to=[to],
        headers={"Message-ID": f"<{name}@docbook>", "Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(html, "text/html")
    return mail
