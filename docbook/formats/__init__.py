"""How Django writes times by itself, in the admin: on 24 hours, and an instant with its zone."""
