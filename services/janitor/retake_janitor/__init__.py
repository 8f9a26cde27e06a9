"""The janitor: one pass of chores, then it exits."""
