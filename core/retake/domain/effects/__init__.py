"""What can be done to a video: one small module per effect, and the table of them all.

The order of the table is the order of the filters: geometry first, then what light does, then what lies on top; time
after all that happens to pictures.
"""

from retake.domain.effects.audio import AUDIO
from retake.domain.effects.border import BORDER
from retake.domain.effects.colour import COLOUR
from retake.domain.effects.effect import Effect
from retake.domain.effects.mirror import MIRROR
from retake.domain.effects.noise import NOISE
from retake.domain.effects.rotate import ROTATE
from retake.domain.effects.sharpness import SHARPNESS
from retake.domain.effects.speed import SPEED
from retake.domain.effects.trim import TRIM
from retake.domain.effects.vignette import VIGNETTE
from retake.domain.effects.zoom import ZOOM

EFFECTS: dict[str, Effect] = {
    effect.name: effect
    for effect in (ZOOM, ROTATE, MIRROR, COLOUR, SHARPNESS, VIGNETTE, NOISE, BORDER, TRIM, SPEED, AUDIO)
}
