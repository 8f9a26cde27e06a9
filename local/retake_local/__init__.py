"""The whole of retake on one machine, as child processes."""
