"""The worker: claims parts, renders takes."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy reads it when it is loaded; more threads only cost more
