"""The worker: claims parts, renders takes."""
