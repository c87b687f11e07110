import psycopg

ADVICE = "Or set DATABASE_URL to a PostgreSQL of your own."


class EmbeddedPostgresError(psycopg.OperationalError):
    """The embedded server could not be brought up, stopped or trusted; the message says why and what to do.

    One of psycopg's operational errors, so that Django hands it on as `django.db.OperationalError`, like any
    other database that cannot be reached.
    """
