"""Calendars elsewhere that say when a doctor is busy, and the times that were read from them."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class ExternalCalendar(models.Model):
    """A calendar at an address that is read again and again, or an uploaded file, read once.

    An address is as good as a key. It is kept encrypted (accounts.kept_secrets), and is empty for a
    file. `digest` recognises the address. `started` and `applied` are numbers of readings: of two
    at once, the one that started last counts. Busy times are known up to `known_until`.
    """

    # No index of its own: `one_connection_per_doctor_and_address` begins with the doctor.
    doctor = models.ForeignKey("Doctor", on_delete=models.CASCADE, related_name="calendars")
    name = models.CharField(_("name"), max_length=80)
    address = models.TextField(_("address"), blank=True, editable=False)
    digest = models.CharField(_("digest of the address"), max_length=24, blank=True, editable=False)
    connected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("connected by"),
    )
    connected_at = models.DateTimeField(_("connected at"))
    read_at = models.DateTimeField(_("last read at"))
    known_until = models.DateTimeField(_("known until"))
    etag = models.CharField(max_length=200, blank=True, editable=False)
    last_modified = models.CharField(max_length=200, blank=True, editable=False)
    next_at = models.DateTimeField(_("next reading at"), null=True, blank=True)
    started = models.PositiveIntegerField(default=0, editable=False)
    applied = models.PositiveIntegerField(default=0, editable=False)
    trouble = models.CharField(_("what is wrong"), max_length=32, blank=True)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    failures = models.PositiveSmallIntegerField(_("failures in a row"), default=0)

    class Meta:
        ordering: ClassVar[list[str]] = ["doctor", "name", "id"]
        verbose_name = _("calendar elsewhere")
        verbose_name_plural = _("calendars elsewhere")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["next_at"], name="calendar_by_next_reading"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["doctor", "digest"],
                condition=~Q(digest=""),
                name="one_connection_per_doctor_and_address",
            ),
            models.CheckConstraint(
                condition=Q(address="", digest="", next_at=None)
                | (~Q(address="") & ~Q(digest="") & Q(next_at__isnull=False)),
                name="calendar_with_an_address_is_read_again",
            ),
            models.CheckConstraint(
                condition=Q(trouble="", failing_since=None, failures=0)
                | (~Q(trouble="") & Q(failing_since__isnull=False, failures__gt=0)),
                name="calendar_in_trouble_says_since_when",
            ),
        ]

    def __str__(self) -> str:
        return f"calendar {self.pk}"

    @property
    def is_file(self) -> bool:
        return not self.address


class BusyPeriod(models.Model):
    """[starts_at, ends_at) of a calendar: when its owner is busy, and nothing else about it."""

    calendar = models.ForeignKey(
        ExternalCalendar, on_delete=models.CASCADE, related_name="periods", db_index=False
    )
    starts_at = models.DateTimeField(_("starts at"))
    ends_at = models.DateTimeField(_("ends at"))

    class Meta:
        ordering: ClassVar[list[str]] = ["calendar", "starts_at"]
        verbose_name = _("busy time")
        verbose_name_plural = _("busy times")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["calendar", "starts_at"], name="one_busy_time_per_calendar_and_start"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="busy_time_ends_after_it_starts"
            ),
        ]

    def __str__(self) -> str:
        return f"busy time {self.pk}"
