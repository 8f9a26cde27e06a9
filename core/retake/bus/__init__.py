"""The only NATS."""
