from django.db import migrations

# One index for each dimension that the usual engines have; an index has a fixed dimension, the column has none.
# A query uses it when it casts to halfvec(n) and repeats the condition.
DIMENSIONS = (128, 512, 640)

CREATE = """
CREATE INDEX face_embedding_hnsw_{0} ON faces_face USING hnsw ((embedding::halfvec({0})) halfvec_cosine_ops)
WHERE vector_dims(embedding) = {0}
"""


class Migration(migrations.Migration):
    dependencies = [("faces", "0001_initial")]

    operations = [
        migrations.RunSQL(CREATE.format(dimension), f"DROP INDEX face_embedding_hnsw_{dimension}")
        for dimension in DIMENSIONS
    ]
