"""Django's PostgreSQL backend on the embedded server of `settings.EMBEDDED_POSTGRES_DIR`."""

from typing import Any

from django.conf import settings
from django.db.backends.postgresql import base, client
from psycopg import OperationalError

from grabpic_site.embedded_postgres import server
from grabpic_site.embedded_postgres.programs import program


def _address() -> dict[str, Any]:
    folder = server.ensure_running(settings.EMBEDDED_POSTGRES_DIR)
    return {"host": str(folder), "port": server.PORT, "user": server.SUPERUSER}


class DatabaseClient(client.DatabaseClient):
    executable_name = "psql"

    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: dict[str, Any], parameters: Any
    ) -> tuple[list[str], dict[str, str] | None]:
        address = {key.upper(): value for key, value in _address().items()}
        arguments, environment = super().settings_to_cmd_args_env({**settings_dict, **address}, parameters)
        return [str(program(cls.executable_name)), *arguments[1:]], environment


class DatabaseWrapper(base.DatabaseWrapper):
    """A new connection starts the server if it is not running, and creates the database if it is missing."""

    client_class = DatabaseClient

    def get_connection_params(self) -> dict[str, Any]:
        """Raises EmbeddedPostgresError when the server cannot be started."""
        return {**super().get_connection_params(), **_address()}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Tries twice: the first one ever finds no database, another may come while a crash is mended."""
        try:
            return super().get_new_connection(conn_params)
        except OperationalError:
            server.ensure_running(settings.EMBEDDED_POSTGRES_DIR)
            server.ensure_database(settings.EMBEDDED_POSTGRES_DIR, conn_params["dbname"])
            return super().get_new_connection(conn_params)
