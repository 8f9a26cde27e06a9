"""The HTTP service: uploads in, takes out."""
