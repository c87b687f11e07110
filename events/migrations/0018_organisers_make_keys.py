"""What the group of organisers may do with API keys."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

PERMISSIONS = ("add_apikey", "change_apikey", "view_apikey")


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
    dependencies = [("events", "0017_images_in_order")]

    operations = [migrations.RunPython(extend_group, migrations.RunPython.noop)]
