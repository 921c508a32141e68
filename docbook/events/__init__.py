"""A process of its own that tells open pages what has changed. See docs/adr/0028."""
