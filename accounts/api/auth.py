"""Signing in and staying signed in, for mobile apps."""

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import tokens
from accounts.api import examples
from accounts.known_networks import remember_network
from accounts.limits import count_password
from accounts.serializers import CredentialsIn, MeOut, RefreshIn, TokensOut
from accounts.services import sign_in_with_password
from accounts.users import owner_of, signed_in
from docbook.http.problem_schema import BODY, problems
from docbook.http.serializers import read_body
from docbook.http.throttling import enforce, give_back, limit_of


class TokenView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="signIn",
        examples=examples.SIGN_IN,
        summary="Sign in with a password",
        request=CredentialsIn,
        responses={
            200: TokensOut,
            **problems(
                *BODY,
                "unauthenticated",
                "second-factor-required",
                "second-factor-wrong",
                "rate-limited",
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """A pair of tokens for an e-mail address and its password; with `otp` for accounts that
        have a second factor.
        """
        enforce(limit_of("sign-in", request._request))
        credentials = read_body(CredentialsIn, request)
        email = credentials["email"].lower()
        tries = count_password(request._request, email=email, user=None)
        pair = sign_in_with_password(
            email=email,
            password=credentials["password"],
            second_factor_code=credentials["otp"],
            now=timezone.now(),
        )
        give_back(*tries)
        if user := owner_of(email):
            remember_network(request._request, user=user)
        return _answer(pair)


class RefreshView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="refreshTokens",
        examples=examples.REFRESH,
        summary="Stay signed in",
        request=RefreshIn,
        responses={
            200: TokensOut,
            **problems(*BODY, "token-invalid", "rate-limited"),
        },
    )
    def post(self, request: Request) -> Response:
        """A new pair; the refresh token sent here works once."""
        enforce(limit_of("refresh", request._request))
        refresh = read_body(RefreshIn, request)["refresh"]
        return _answer(tokens.rotate_session(refresh=refresh, now=timezone.now()))


class MeView(APIView):
    @extend_schema(
        operation_id="getMe",
        examples=examples.ME,
        summary="Who is signed in",
        responses={200: MeOut, **problems("unauthenticated")},
    )
    def get(self, request: Request) -> Response:
        """The account of the token."""
        return Response(MeOut(signed_in(request)).data)


def _answer(pair: tokens.TokenPair) -> Response:
    seconds = int(settings.ACCESS_TOKEN_LIFETIME.total_seconds())
    data = {"access": pair.access, "refresh": pair.refresh, "expiresIn": seconds}
    return Response(data, headers={"Cache-Control": "no-store"})
