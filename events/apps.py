from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "events"

    def ready(self) -> None:
        """Register the system checks."""
        from events import checks  # noqa: F401
