"""The times of patients, of all months in one table; see docs/adr/0022."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
from django.db import migrations, models

import doctors.models.schedule


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0020_visit_type_in_the_admin'),
    ]

    operations = [
        migrations.CreateModel(
            name='PatientVisit',
            fields=[
                ('pk', models.CompositePrimaryKey('patient_id', 'starts_at', 'appointment_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('patient_id', models.BigIntegerField()),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('appointment_id', models.UUIDField()),
            ],
            options={
                'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(
                    name='no_overlapping_visits_of_a_patient',
                    expressions=[
                        ('patient_id', django.contrib.postgres.fields.ranges.RangeOperators.EQUAL),
                        (doctors.models.schedule.TimeRange('starts_at', 'ends_at'), django.contrib.postgres.fields.ranges.RangeOperators.OVERLAPS),
                    ],
                )],
            },
        ),
    ]
