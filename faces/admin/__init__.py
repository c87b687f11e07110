"""People in Django admin, and what the faces add to events and photos; each module registers one model."""

from faces.admin import audit, decisions, events, keys, people, photos

__all__ = ["audit", "decisions", "events", "keys", "people", "photos"]
