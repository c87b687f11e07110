from django.db import migrations

COLUMNS = {"face": "embedding", "centroid": "mean", "embedding": "vector", "nextembedding": "vector"}


def set_statistics(target: int) -> list[str]:
    # The type is what it was; setting it does away with the samples of before.
    return [
        f"ALTER TABLE faces_{table} ALTER COLUMN {column} SET STATISTICS {target}, ALTER COLUMN {column} TYPE halfvec"
        for table, column in COLUMNS.items()
    ]


class Migration(migrations.Migration):
    """PostgreSQL samples columns for its statistics, and would keep vectors of those who were erased meanwhile."""

    dependencies = [("faces", "0012_no_hnsw")]

    operations = [migrations.RunSQL(set_statistics(0), set_statistics(-1))]
