"""What the group of organisers may do with people."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

# They export and erase people by the permission to delete them.
PERMISSIONS = ("change_face", "delete_face", "view_face", "view_decision", "view_auditentry")


def extend_group(apps, schema_editor):
    config = apps.get_app_config("faces")
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="faces", codename__in=PERMISSIONS
    )
    # Staff may have renamed or deleted it.
    for group in apps.get_model("auth", "Group").objects.filter(name="Organisers"):
        group.permissions.add(*permissions)


class Migration(migrations.Migration):
    dependencies = [("faces", "0007_visitors"), ("events", "0009_organisers")]

    operations = [migrations.RunPython(extend_group, migrations.RunPython.noop)]
