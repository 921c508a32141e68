"""The rest is as Django has it for this language."""

TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j M Y, H:i e"
SHORT_DATETIME_FORMAT = "d/m/Y H:i e"
