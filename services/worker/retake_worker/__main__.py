"""`python -m retake_worker`: a worker until SIGTERM."""
