"""Throw-away projects, each for one peer. The peer's Python runs a copy of the file."""
