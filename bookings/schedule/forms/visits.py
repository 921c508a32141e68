"""What the practice fills in on its schedule. Forms parse; the services have the rules."""

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.models import VisitNote
from bookings.schedule.acts import Act
from docbook.http.form_fields import TextField

_LATEST = 2**31 - 1


class ActForm(forms.Form):
    """`version` is the version of the visit that the person has seen."""

    act = forms.ChoiceField(choices=[(act.value, act.value) for act in Act])
    version = forms.IntegerField(min_value=1, max_value=_LATEST)
    reason = TextField(
        label=_("Why?"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The patient reads it."),
    )


class MoveForm(forms.Form):
    """`slot` is the first of the new time; `version` as in ActForm."""

    slot = forms.IntegerField(
        min_value=1,
        max_value=2**63 - 1,
        error_messages={"required": _("Choose a time."), "invalid": _("Choose a time.")},
    )
    version = forms.IntegerField(min_value=1, max_value=_LATEST)
    reason = TextField(
        label=_("Why?"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The patient reads it."),
        error_messages={"required": _("Say why: the patient is told.")},
    )
    anyway = forms.BooleanField(label=_("Choose a time that patients cannot book"), required=False)


class NoteForm(forms.Form):
    """`version` is the version of the note that the person has seen."""

    version = forms.IntegerField(min_value=0, max_value=_LATEST, widget=forms.HiddenInput)
    text = TextField(
        label=_("Private note"),
        max_length=VisitNote.LONGEST,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Patients never see it."),
    )
