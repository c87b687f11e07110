"""People in Django admin, and what the faces add to events and photos; each module registers one model."""

from faces.admin import decisions, events, people, photos

__all__ = ["decisions", "events", "people", "photos"]
