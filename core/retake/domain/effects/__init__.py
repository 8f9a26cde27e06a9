"""What can be done to a video: one small module per effect, and the table of them all.

The order of the table is the order of the filters: geometry while there are fewer pixels, time at the end.
"""

from retake.domain.effects.colour import COLOUR
from retake.domain.effects.effect import Effect
from retake.domain.effects.mirror import MIRROR
from retake.domain.effects.noise import NOISE
from retake.domain.effects.speed import SPEED
from retake.domain.effects.zoom import ZOOM

EFFECTS: dict[str, Effect] = {effect.name: effect for effect in (ZOOM, MIRROR, COLOUR, NOISE, SPEED)}
