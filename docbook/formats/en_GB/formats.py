"""Everything else keeps Django's format for this language."""

TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j M Y, H:i e"
SHORT_DATETIME_FORMAT = "d/m/Y H:i e"
