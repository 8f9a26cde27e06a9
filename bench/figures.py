"""A table of figures, printed as it grows, and the places between the least and the most."""

import math
from collections.abc import Sequence


def tell(what: str, figure: float, unit: str, target: str = "") -> None:
    print(f"  {what:<58} {figure:>9.1f} {unit:<9} {target}", flush=True)


def at(share: float, times: Sequence[float]) -> float:
    """The value that this share of them does not exceed."""
    return sorted(times)[max(0, math.ceil(share * len(times)) - 1)]
