"""People in Django admin, and what the faces add to events and photos; each module registers one model."""

from faces.admin import events, people, photos

__all__ = ["events", "people", "photos"]
