"""Accounts as the API shows and reads them."""

from typing import Any

from rest_framework import serializers

from accounts.models import User
from accounts.plain_email import validate_plain_email
from docbook.http.serializers import EmailField, IdField, StrictSerializer


class CredentialsIn(StrictSerializer):
    email = EmailField(max_length=254, validators=[validate_plain_email])
    password = serializers.CharField(max_length=128, trim_whitespace=False)
    otp = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=20,
        default="",
        help_text="For accounts with a second factor: six digits of the app, or a recovery code.",
    )


class RefreshIn(StrictSerializer):
    refresh = serializers.CharField(max_length=2000)


class TokensOut(serializers.Serializer[Any]):
    access = serializers.CharField()
    refresh = serializers.CharField()
    expiresIn = serializers.IntegerField(help_text="Seconds the access token lives.")  # noqa: N815


class MeOut(serializers.Serializer[User]):
    id = IdField()
    email = serializers.EmailField()
    firstName = serializers.CharField(source="first_name")  # noqa: N815
    lastName = serializers.CharField(source="last_name")  # noqa: N815
    phone = serializers.CharField()
