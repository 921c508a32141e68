"""The two roles of deploy/postgres/roles.sql, besides the superuser: one migrates, one serves."""

import secrets
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from devstack.layout import ROOT

ROLES = ROOT / "deploy" / "postgres" / "roles.sql"
OWNER, APP = "docbook_owner", "docbook_app"


@dataclass(frozen=True)
class Roles:
    """Two roles of a server. Tests that share a server use their own names."""

    owner_password: str = field(repr=False)
    app_password: str = field(repr=False)
    owner: str = OWNER
    app: str = APP

    def make(self, url: str) -> None:
        """In the database of this URL, which is the superuser's URL."""
        statements = ROLES.read_text().replace(OWNER, self.owner).replace(APP, self.app)
        passwords = {self.owner: self.owner_password, self.app: self.app_password}
        with psycopg.connect(url, connect_timeout=10) as connection:
            connection.execute(statements.encode())
            for role, password in passwords.items():
                change = sql.SQL("ALTER ROLE {} PASSWORD {}")
                connection.execute(change.format(sql.Identifier(role), sql.Literal(password)))

    def drop(self, url: str) -> None:
        """Called when their database is gone."""
        with psycopg.connect(url, autocommit=True) as connection:
            for role in (self.app, self.owner):
                connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))

    def environment(self, url: str) -> dict[str, str]:
        """How the product reaches the database of this URL as each of the two roles."""
        return {
            "DATABASE_URL": _as(url, user=self.app, password=self.app_password),
            "MIGRATION_DATABASE_URL": _as(url, user=self.owner, password=self.owner_password),
        }


def new_roles(*, owner: str = OWNER, app: str = APP) -> Roles:
    """With new passwords. Making the roles sets them, so nothing has to remember the old ones."""
    owner_password, app_password = secrets.token_hex(16), secrets.token_hex(16)
    return Roles(owner_password=owner_password, app_password=app_password, owner=owner, app=app)


def _as(url: str, *, user: str, password: str) -> str:
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{place}"))
