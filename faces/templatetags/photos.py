"""Which shape a thumbnail has."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from django import template

if TYPE_CHECKING:
    from events.models import Image

register = template.Library()

RATIOS = (0.5, 0.56, 0.67, 0.75, 0.8, 1.0, 1.25, 1.33, 1.5, 1.78, 2.0)
"""Width by height; gallery.css has a class for each. What is narrower or wider is trimmed."""


@register.filter
def shape(image: Image) -> str:
    """Return the class of the ratio that is nearest to the photo's, such as "ratio-150" for 3:2."""
    ratio = image.width / max(image.height, 1) or 1.0
    nearest = min(RATIOS, key=lambda each: abs(math.log(each / ratio)))
    return f"ratio-{round(nearest * 100):03}"
