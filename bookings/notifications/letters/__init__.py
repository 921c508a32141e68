"""The mails of a booking, each sent once for the outbox message that asked for it."""
