"""Keys made before there were scopes keep what they could do: everything, with every event."""

from django.db import migrations

SCOPES = ["read", "upload", "search", "manage"]

FIELDS = ("id", "prefix", "hashed_key", "created", "name", "revoked", "expiry_date")


def move_keys(apps, schema_editor):
    old, new = apps.get_model("rest_framework_api_key", "APIKey"), apps.get_model("events", "ApiKey")
    for values in old.objects.values(*FIELDS):
        new.objects.create(**values, scopes=SCOPES, every_event=True)
        # It sets the time itself when a row comes into being.
        new.objects.filter(pk=values["id"]).update(created=values["created"])
    old.objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("events", "0013_clients"), ("rest_framework_api_key", "0005_auto_20220110_1102")]

    operations = [migrations.RunPython(move_keys, migrations.RunPython.noop)]
