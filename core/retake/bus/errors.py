"""What can go wrong with the bus.

BusError
├── BusUnavailable       no answer; it may or may not have happened; later it may work
│   ├── BusMissing       the stream or its consumer is not there; `ensure` makes them
│   └── BusClosed        this connection will never work again: open another, or end the process
└── BusMisconfigured     an answer that asking again does not change; the text says what to do
"""


class BusError(Exception):
    """Something is wrong with the bus."""


class BusUnavailable(BusError):
    """NATS gave no answer."""


class BusMissing(BusUnavailable):
    """The stream or its consumer is not there."""


class BusClosed(BusUnavailable):
    """The connection to NATS is closed for good."""


class BusMisconfigured(BusError):
    """NATS is not set up as retake needs it."""
