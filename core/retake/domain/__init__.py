"""What is true without any server: states, limits, errors. Imports only the standard library."""
