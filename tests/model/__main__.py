"""Tells what goes wrong without each guard."""

import sys

from model.explore import explore
from model.worlds import FALLS, WORLDS

for guard, (_, world) in FALLS.items():
    sys.stdout.write(f"without {guard}\n{explore(WORLDS[world](frozenset({guard})))}\n\n")
