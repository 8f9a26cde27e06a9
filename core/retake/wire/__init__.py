"""The messages, generated from proto/."""
