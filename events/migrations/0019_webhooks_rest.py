"""Webhooks that fail over and over rest; and what the group of organisers may do with webhooks."""

from django.contrib.auth.management import create_permissions
from django.db import migrations, models

PERMISSIONS = ("add_webhook", "change_webhook", "delete_webhook", "view_webhook", "change_delivery", "view_delivery")


def extend_group(apps, schema_editor):
    # Django makes them after all migrations only.
    config = apps.get_app_config("events")
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="events", codename__in=PERMISSIONS
    )
    # Staff may have renamed or deleted it.
    for group in apps.get_model("auth", "Group").objects.filter(name="Organisers"):
        group.permissions.add(*permissions)


class Migration(migrations.Migration):
    dependencies = [("events", "0018_organisers_make_keys")]

    operations = [
        migrations.AddField(
            model_name="webhook",
            name="rests_until",
            field=models.DateTimeField(
                editable=False,
                help_text="It failed several times in a row: nothing is sent before.",
                null=True,
            ),
        ),
        migrations.RunPython(extend_group, migrations.RunPython.noop),
    ]
