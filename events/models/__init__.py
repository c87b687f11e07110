"""Events and their photos; the programs that ask for them, and those that are told of them."""

from events.models.clients import Allowance, ApiKey, IdempotentAnswer, Scope
from events.models.photos import Event, EventQuerySet, Image, ImageQuerySet, default_engine
from events.models.tallies import Tally
from events.models.webhooks import Delivery, Webhook

__all__ = [
    "Allowance",
    "ApiKey",
    "Delivery",
    "Event",
    "EventQuerySet",
    "IdempotentAnswer",
    "Image",
    "ImageQuerySet",
    "Scope",
    "Tally",
    "Webhook",
    "default_engine",
]
