import datetime
import django.db.models.functions.datetime
import docbook.times_of_day
from django.conf import settings
from django.db import migrations, models

# What was typed with seconds keeps its minute; an end in the middle of a minute takes all of
# that minute, so that 23:59:30 becomes 00:00, the end of the day.
WHOLE_MINUTES = """
UPDATE bookings_waitlistentry
SET day_from = date_trunc('minute', day_from)::time,
    day_until = date_trunc('minute', day_until + interval '59.999999 seconds')::time
WHERE day_from <> date_trunc('minute', day_from)::time OR day_until <> date_trunc('minute', day_until)::time
"""


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0011_attempts_by_visit'),
        ('doctors', '0004_whole_minutes_and_ends_of_days'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='waitlistentry',
            name='waitlist_day_ends_after_it_starts',
        ),
        migrations.RunSQL(WHOLE_MINUTES, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='waitlistentry',
            name='day_from',
            field=models.TimeField(blank=True, null=True, validators=[docbook.times_of_day.whole_minutes], verbose_name='not before'),
        ),
        migrations.AlterField(
            model_name='waitlistentry',
            name='day_until',
            field=models.TimeField(blank=True, null=True, validators=[docbook.times_of_day.whole_minutes], verbose_name='not after'),
        ),
        migrations.AddConstraint(
            model_name='waitlistentry',
            constraint=models.CheckConstraint(condition=models.Q(('day_from__isnull', True), ('day_until__isnull', True), ('day_until__gt', models.F('day_from')), ('day_until', datetime.time(0, 0)), _connector='OR'), name='waitlist_day_ends_after_it_starts'),
        ),
        migrations.AddConstraint(
            model_name='waitlistentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('day_from__isnull', True), ('day_from', django.db.models.functions.datetime.TruncMinute('day_from')), _connector='OR'), models.Q(('day_until__isnull', True), ('day_until', django.db.models.functions.datetime.TruncMinute('day_until')), _connector='OR')), name='waitlist_has_whole_minutes'),
        ),
    ]
