"""What the practice chooses for booked visits. The form parses; the service has the rules."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bookings.appointments.selectors.colleagues import Colleague
from bookings.models import Choice
from docbook.http.form_fields import TextField
from doctors.models import Doctor


class VisitsField(forms.TypedMultipleChoiceField):
    """Ids of visits. The service leaves out those that are no longer open."""

    def __init__(self, **given: Any) -> None:
        super().__init__(coerce=UUID, **given)

    def valid_value(self, _value: Any) -> bool:
        return True


class DecisionForm(forms.Form):
    choice = forms.TypedChoiceField(
        label=gettext_lazy("What should happen?"), coerce=Choice, widget=forms.RadioSelect
    )
    colleague = forms.TypedChoiceField(
        label=gettext_lazy("Colleague who takes them over"),
        empty_value=None,
        error_messages={
            "required": gettext_lazy("Choose a colleague."),
            "invalid_choice": gettext_lazy("This colleague is not free then. Choose another."),
        },
    )
    reason = TextField(
        label=gettext_lazy("Why?"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("The patients read it. Nobody is told if you keep the visits."),
        error_messages={"required": gettext_lazy("Say why: the patients are told.")},
    )
    visits = VisitsField(error_messages={"required": gettext_lazy("Choose at least one visit.")})

    def __init__(
        self, *args: Any, colleagues: Sequence[Colleague], visits: int, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        by_id = {str(each.doctor.pk): each.doctor for each in colleagues}

        def read(value: Any) -> Doctor:
            return by_id[str(value)]

        self.fields["reason"].required = self.data.get("choice") != Choice.KEEP
        self.fields["colleague"].required = self.data.get("choice") == Choice.HAND_OVER
        choice, colleague = self.fields["choice"], self.fields["colleague"]
        choice.choices = [  # type: ignore[attr-defined]  # a field with choices
            each for each in Choice.choices if by_id or each[0] != Choice.HAND_OVER
        ]
        colleague.coerce = read  # type: ignore[attr-defined]
        colleague.choices = [  # type: ignore[attr-defined]
            ("", _("Choose")),
            *((str(each.doctor.pk), _said(each, visits=visits)) for each in colleagues),
        ]


def _said(colleague: Colleague, *, visits: int) -> str:
    text = ngettext(
        "%(name)s, free at %(free)d of %(count)d time",
        "%(name)s, free at %(free)d of %(count)d times",
        visits,
    )
    return text % {"name": colleague.doctor.name, "free": colleague.free, "count": visits}
