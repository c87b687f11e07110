"""How far apart two faces of one person may be."""

from django.conf import settings

from events.models import Event
from faces.engine import get_engine


def max_distance(event: Event) -> float:
    """Return the largest cosine distance at which two faces of this event count as one person.

    The event's own value wins, then SIMILARITY_THRESHOLD, then what was measured for the engine.
    """
    for value in (event.max_distance, settings.SIMILARITY_THRESHOLD):
        if value is not None:
            return float(value)
    return get_engine(event.engine).max_distance
