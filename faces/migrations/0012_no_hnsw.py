from importlib import import_module

from django.db import migrations

before = import_module("faces.migrations.0002_hnsw")


class Migration(migrations.Migration):
    """No search uses them: all scan one event, exactly. Every change of a person had to bring them up to date."""

    dependencies = [("faces", "0011_pages_of_faces")]

    operations = [
        migrations.RunSQL(f"DROP INDEX face_embedding_hnsw_{dimension}", before.CREATE.format(dimension))
        for dimension in before.DIMENSIONS
    ]
