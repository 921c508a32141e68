# Made beside the writers, hence outside a transaction.

from django.db import migrations, models

from docbook.concurrent_index import AddIndexBesideWriters, IndexBesideWriters

ONE_WISH = """
bookings_waitlistentry (
    patient_id, doctor_id, visit_type_id, specialty_id, city, mode, from_on, until_on, weekdays,
    day_from, day_until, replaces) NULLS NOT DISTINCT
WHERE state IN ('waiting', 'offered')
"""


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('bookings', '0005_waitlist'),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name='hold',
            index=models.Index(condition=models.Q(('waitlist_entry__isnull', False)), fields=['waitlist_entry'], name='hold_offered_to_an_entry'),
        ),
        AddIndexBesideWriters(
            model_name='waitlistentry',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['created_at', 'id'], name='waitlist_in_order'),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                IndexBesideWriters("one_live_waitlist_entry_per_wish", on=ONE_WISH, unique=True)
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name='waitlistentry',
                    constraint=models.UniqueConstraint(condition=models.Q(('state__in', ('waiting', 'offered'))), fields=('patient', 'doctor', 'visit_type', 'specialty', 'city', 'mode', 'from_on', 'until_on', 'weekdays', 'day_from', 'day_until', 'replaces'), name='one_live_waitlist_entry_per_wish', nulls_distinct=False),
                ),
            ],
        ),
    ]
