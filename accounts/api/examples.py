"""Requests and answers as the API's description shows them."""

from docbook.http.examples import answer, request

_EMAIL = "sanne@example.org"
# Shortened: a token has three parts, and these show where each goes.
_TOKENS = {
    "access": "eyJhbGciOiJIUzI1NiIsImtpZCI6IjFhMmIzYyJ9.access.signature",
    "refresh": "eyJhbGciOiJIUzI1NiIsImtpZCI6IjFhMmIzYyJ9.refresh.signature",
    "expiresIn": 600,
}

SIGN_IN = [
    request("With a password", {"email": _EMAIL, "password": "lamp river orange"}),
    request(
        "With a second factor",
        {"email": _EMAIL, "password": "lamp river orange", "otp": "042137"},
    ),
    answer("A pair of tokens", _TOKENS),
]
REFRESH = [
    request("The newest refresh token", {"refresh": _TOKENS["refresh"]}),
    answer("The next pair", _TOKENS),
]
ME = [
    answer(
        "A patient",
        {
            "id": 1201,
            "email": _EMAIL,
            "firstName": "Sanne",
            "lastName": "Bakker",
            "phone": "+31 6 5550 1234",
        },
    )
]
