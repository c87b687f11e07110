"""People in Django admin, and what the faces add to events and photos; each module registers one model."""

from faces.admin import audit, decisions, deliveries, events, keys, people, photos, webhooks

__all__ = ["audit", "decisions", "deliveries", "events", "keys", "people", "photos", "webhooks"]
