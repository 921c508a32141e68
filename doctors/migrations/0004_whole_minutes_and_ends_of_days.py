import datetime
import django.db.models.functions.datetime
import docbook.http.dates
import docbook.times_of_day
from django.db import migrations, models

# What was typed with seconds keeps its minute; an end in the middle of a minute takes all of
# that minute, so that 23:59:30 becomes 00:00, the end of the day.
WHOLE_MINUTES = """
UPDATE doctors_availabilityrule
SET starts = date_trunc('minute', starts)::time,
    ends = date_trunc('minute', ends + interval '59.999999 seconds')::time
WHERE starts <> date_trunc('minute', starts)::time OR ends <> date_trunc('minute', ends)::time
"""


class Migration(migrations.Migration):

    dependencies = [
        ('doctors', '0003_unaccent'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='availabilityrule',
            name='rule_ends_after_it_starts',
        ),
        migrations.RunSQL(WHOLE_MINUTES, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='availabilityrule',
            name='ends',
            field=models.TimeField(validators=[docbook.times_of_day.whole_minutes], verbose_name='to'),
        ),
        migrations.AlterField(
            model_name='availabilityrule',
            name='starts',
            field=models.TimeField(validators=[docbook.times_of_day.whole_minutes], verbose_name='from'),
        ),
        migrations.AlterField(
            model_name='availabilityrule',
            name='valid_from',
            field=models.DateField(validators=[docbook.http.dates.validate_day], verbose_name='valid from'),
        ),
        migrations.AlterField(
            model_name='availabilityrule',
            name='valid_until',
            field=models.DateField(blank=True, null=True, validators=[docbook.http.dates.validate_day], verbose_name='valid until'),
        ),
        migrations.AddConstraint(
            model_name='availabilityrule',
            constraint=models.CheckConstraint(condition=models.Q(('ends__gt', models.F('starts')), ('ends', datetime.time(0, 0)), _connector='OR'), name='rule_ends_after_it_starts', violation_error_message='The end must be later than the start.'),
        ),
        migrations.AddConstraint(
            model_name='availabilityrule',
            constraint=models.CheckConstraint(condition=models.Q(('ends', django.db.models.functions.datetime.TruncMinute('ends')), ('starts', django.db.models.functions.datetime.TruncMinute('starts'))), name='rule_has_whole_minutes'),
        ),
    ]
