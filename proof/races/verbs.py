"""What people and the system do to a time, as people say it; the matrix has them in this order."""

VERBS = (
    "hold",
    "confirm",
    "wrong code",
    "resend",
    "release",
    "expire",
    "sweep",
    "cancel",
    "move",
    "move by practice",
    "offer",
    "accept",
)
# These meet the others over a few rows only.
FURTHER = ("mark", "leave the waitlist")
