"""Staff belong to events from now on: whoever is staff keeps what they had, and a group has what organisers need."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

GROUP = "Organisers"

PERMISSIONS = (
    *("add_event", "change_event", "view_event"),
    *("change_image", "delete_image", "view_image"),
)


def keep_staff(apps, schema_editor):
    users = apps.get_model("auth", "User").objects.filter(is_staff=True, is_superuser=False)
    for event in apps.get_model("events", "Event").objects.all():
        event.staff.add(*users)


def make_group(apps, schema_editor):
    # Django makes them after all migrations only.
    config = apps.get_app_config("events")
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="events", codename__in=PERMISSIONS
    )
    apps.get_model("auth", "Group").objects.get_or_create(name=GROUP)[0].permissions.add(*permissions)


class Migration(migrations.Migration):
    dependencies = [("events", "0008_publishing"), ("auth", "0012_alter_user_first_name_max_length"), ("contenttypes", "0002_remove_content_type_name")]

    operations = [
        migrations.RunPython(keep_staff, migrations.RunPython.noop),
        migrations.RunPython(make_group, migrations.RunPython.noop),
    ]
