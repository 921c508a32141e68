"""Mail and SMS."""

from docbook.settings.environment import code_channel, env, optional_secret, sms_url

_email = env.email_url("EMAIL_URL", default="smtp://localhost:25")
EMAIL_BACKEND = _email["EMAIL_BACKEND"]
EMAIL_HOST = _email.get("EMAIL_HOST")
EMAIL_PORT = _email.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _email.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _email.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = _email.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _email.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 5
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="DocBook <no-reply@docbook.test>")

SMS_URL = sms_url(optional_secret("SMS_URL"))
# Where codes go: by SMS to signed-in patients who have given a number, otherwise by e-mail.
CODE_CHANNEL = code_channel(env.str("CODE_CHANNEL", default="email"), sms=SMS_URL)
