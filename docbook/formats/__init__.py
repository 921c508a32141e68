"""How Django formats times by itself, in the admin: 24-hour clock, and instants with their zone."""
