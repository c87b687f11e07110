from django.apps import AppConfig


class GrabpicSiteConfig(AppConfig):
    name = "grabpic_site"

    def ready(self) -> None:
        """Register the system checks."""
        from grabpic_site import database_checks  # noqa: F401
