"""Signing in with django-allauth, and the second factor of people who work here."""

from docbook.settings.environment import env

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
] + [{"NAME": "accounts.password_strength.StrengthValidator"}]
PASSWORD_RESET_TIMEOUT = 3600
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "bookings:after_sign_in"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "accounts.forms.SignupNames"
ACCOUNT_FORMS = {
    "login": "accounts.account_forms.LoginForm",
    "signup": "accounts.account_forms.SignupForm",
    "reset_password": "accounts.account_forms.ResetPasswordForm",
    "request_login_code": "accounts.account_forms.RequestLoginCodeForm",
    "add_email": "accounts.account_forms.AddEmailForm",
    "change_password": "accounts.account_forms.ChangePasswordForm",
    "set_password": "accounts.account_forms.SetPasswordForm",
    "reauthenticate": "accounts.account_forms.ReauthenticateForm",
    "reset_password_from_key": "accounts.account_forms.ResetPasswordKeyForm",
    "confirm_login_code": "accounts.account_forms.ConfirmLoginCodeForm",
    "confirm_email_verification_code": "accounts.account_forms.ConfirmEmailCodeForm",
}
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = 3
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = 10 * 60
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = 3
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 10 * 60
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# Like the code of a booking: digits can be entered on a numeric keypad, and three tries guess none.
ALLAUTH_USER_CODE_FORMAT = {"numeric": True, "length": 6, "dashed": False}
ACCOUNT_LOGIN_ON_PASSWORD_RESET = False
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_SESSION_REMEMBER = True
# A new address or password needs the old password or a code, and the old address is told.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
# Its own limits refuse everybody when Redis is gone; accounts.limits has ours instead.
ACCOUNT_RATE_LIMITS = False
ACCOUNT_USER_DISPLAY = "accounts.adapter.display_name"

# -- those who work here: staff, doctors and secretaries
# Whether they need a second factor before the practice or the admin opens.
REQUIRE_SECOND_FACTOR = env.bool("REQUIRE_SECOND_FACTOR", default=False)
WORK_IDLE_MINUTES = env.int("WORK_IDLE_MINUTES", default=30)
WORK_SESSION_HOURS = env.int("WORK_SESSION_HOURS", default=12)
MFA_ADAPTER = "accounts.mfa_adapter.SecondFactorAdapter"
MFA_TOTP_ISSUER = "DocBook"
MFA_TOTP_TOLERANCE = 1
MFA_FORMS = {
    "authenticate": "accounts.mfa_forms.AuthenticateForm",
    "reauthenticate": "accounts.mfa_forms.ReauthenticateForm",
    "activate_totp": "accounts.mfa_forms.ActivateTOTPForm",
}
