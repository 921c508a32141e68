from django.db import migrations, models

import accounts.plain_email


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_sessions_ended'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='born_on',
            field=models.DateField(blank=True, null=True, verbose_name='born on'),
        ),
        migrations.AlterField(
            model_name='user',
            name='email',
            field=models.EmailField(blank=True, max_length=254, null=True, validators=[accounts.plain_email.validate_plain_email], verbose_name='e-mail'),
        ),
    ]
