"""The Python SDK and the `retake` command."""
