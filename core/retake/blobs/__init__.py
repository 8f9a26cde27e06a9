"""The only S3."""
