"""Border: an edge of one colour, a share of the shorter side wide, over the outermost part of the picture. It is in no
preset; who includes it may name its colour, or gets black."""

from collections.abc import Mapping

from retake.domain.effects.effect import Effect, Params, Range, Size, Strength, even, within

COLOURS = ("red", "green", "blue")


def thickness(params: Mapping[str, float], size: Size) -> int:
    """In pixels."""
    return even(params["width"] * min(size.width, size.height)) if params["width"] else 0


def sample(ranges: Mapping[str, Range], at: Mapping[str, float]) -> Params:
    colour = {name: int(within(ranges[name], at[name], 0)) for name in COLOURS}
    return {"width": within(ranges["width"], at["width"]), **colour}


def video(params: Mapping[str, float], size: Size) -> list[str]:
    thick = thickness(params, size)
    colour = "".join(f"{int(params[name]):02x}" for name in COLOURS)
    return [f"drawbox=x=0:y=0:w=iw:h=ih:t={thick}:color=0x{colour}"] if thick else []


def _ranges(least: float, most: float) -> Mapping[str, Range]:
    return {"width": (least, most), **dict.fromkeys(COLOURS, (0, 0))}


BORDER = Effect(
    "border",
    {"width": (0, 0.08), **dict.fromkeys(COLOURS, (0, 255))},
    {
        Strength.SUBTLE: _ranges(0.01, 0.02),
        Strength.MEDIUM: _ranges(0.02, 0.04),
        Strength.STRONG: _ranges(0.04, 0.08),
    },
    sample,
    video,
    whole=frozenset(COLOURS),
    seen=frozenset({"width", *COLOURS}),
)
