from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from grabpic_site.embedded_postgres import server
from grabpic_site.embedded_postgres.errors import EmbeddedPostgresError


class Command(BaseCommand):
    help = "Starts, stops or looks at the embedded PostgreSQL of this checkout. Any connection starts it too."
    requires_system_checks = ()  # the database may be what fails them

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["start", "stop", "status"])

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        try:
            self.stdout.write(getattr(self, action)())
        except EmbeddedPostgresError as error:
            raise CommandError(str(error)) from error

    def start(self) -> str:
        return f"PostgreSQL runs; its socket is in {server.ensure_running(settings.EMBEDDED_POSTGRES_DIR)}"

    def stop(self) -> str:
        stopped = server.stop(settings.EMBEDDED_POSTGRES_DIR)
        return "PostgreSQL stopped" if stopped else "PostgreSQL was not running"

    def status(self) -> str:
        running = server.is_running(settings.EMBEDDED_POSTGRES_DIR)
        return f"PostgreSQL in {settings.EMBEDDED_POSTGRES_DIR} {'runs' if running else 'does not run'}"
