"""Programs count in a currency and bound amounts; those that stand keep no bounds."""

import django.db.models.deletion
import loyalty.models.money
from decimal import Decimal
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('loyalty', '0032_word_lateness_and_expiry'),
    ]

    operations = [
        migrations.AddField(
            model_name='program',
            name='activity_points_max',
            field=models.PositiveBigIntegerField(blank=True, help_text='An activity that would earn more in one wallet is refused. In whole points. Empty: no limit.', null=True, verbose_name='most points of an activity'),
        ),
        migrations.AddField(
            model_name='program',
            name='activity_value_max',
            field=models.DecimalField(blank=True, decimal_places=4, help_text="An activity worth more, or less than minus this, is refused. In the program's currency. Empty: no limit.", max_digits=18, null=True, verbose_name='highest value of an activity'),
        ),
        migrations.AddField(
            model_name='program',
            name='currency',
            field=models.CharField(blank=True, default='', help_text='ISO code, for example EUR. All rules count in it: an activity in another currency is converted by the rates below, or refused if there is none for its day. Empty: values are taken as they are, whatever their currency.', max_length=3, validators=[loyalty.models.money.validate_currency]),
        ),
        migrations.AddField(
            model_name='program',
            name='line_quantity_max',
            field=models.PositiveIntegerField(blank=True, help_text='An activity with a line of more pieces is refused. Empty: no limit.', null=True, verbose_name='highest quantity of a line'),
        ),
        migrations.AddField(
            model_name='program',
            name='line_value_max',
            field=models.DecimalField(blank=True, decimal_places=4, help_text="An activity with a line worth more, or less than minus this, is refused as a typing error. In the program's currency. Empty: no limit.", max_digits=18, null=True, verbose_name='highest value of a line'),
        ),
        migrations.CreateModel(
            name='ExchangeRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('currency', models.CharField(help_text='ISO code of the other currency, for example CHF.', max_length=3, validators=[loyalty.models.money.validate_currency])),
                ('valid_from', models.DateField(help_text="From this day on, in the program's time zone, until the next rate.")),
                ('rate', models.DecimalField(decimal_places=10, help_text="How much one unit of it is worth in the program's currency: with 1 CHF = 1.05 EUR it is 1.05.", max_digits=20)),
                ('program', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='exchange_rates', to='loyalty.program')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('program', 'currency', 'valid_from'), name='rate_once_per_currency_and_day', violation_error_message='There is a rate of this currency from this day on.'), models.CheckConstraint(condition=models.Q(('rate__gt', 0)), name='rate_is_positive', violation_error_message='The rate must be greater than zero.')],
            },
        ),
        migrations.AlterField(
            model_name='program',
            name='activity_points_max',
            field=models.PositiveBigIntegerField(blank=True, default=1000000, help_text='An activity that would earn more in one wallet is refused. In whole points. Empty: no limit.', null=True, verbose_name='most points of an activity'),
        ),
        migrations.AlterField(
            model_name='program',
            name='activity_value_max',
            field=models.DecimalField(blank=True, decimal_places=4, default=Decimal('10000000'), help_text="An activity worth more, or less than minus this, is refused. In the program's currency. Empty: no limit.", max_digits=18, null=True, verbose_name='highest value of an activity'),
        ),
        migrations.AlterField(
            model_name='program',
            name='line_quantity_max',
            field=models.PositiveIntegerField(blank=True, default=100000, help_text='An activity with a line of more pieces is refused. Empty: no limit.', null=True, verbose_name='highest quantity of a line'),
        ),
        migrations.AlterField(
            model_name='program',
            name='line_value_max',
            field=models.DecimalField(blank=True, decimal_places=4, default=Decimal('1000000'), help_text="An activity with a line worth more, or less than minus this, is refused as a typing error. In the program's currency. Empty: no limit.", max_digits=18, null=True, verbose_name='highest value of a line'),
        ),
    ]
