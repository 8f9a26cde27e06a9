"""retake turns every video into many takes: what its processes must agree on."""

__version__ = "0.1.0"
