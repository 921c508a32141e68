"""What docker compose opens, and for which callers."""

import re

import yaml

from devstack.layout import ROOT


def test_nothing_is_published_beyond_this_machine():
    """A caller who bypasses the proxy could write the X-Forwarded-For that the limits believe."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:${PORT:-8000}:8000"]}


def test_no_password_stands_in_a_url():
    """It may contain @, / or #: the rest would be read as a host or a database."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    urls = services["web"]["environment"]
    assert "PASSWORD" not in urls["DATABASE_URL"] + urls["REDIS_URL"]


def test_database_counts_as_ready_only_where_others_reach_it():
    """While its data is created, the server listens only on a socket."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert "--host=127.0.0.1" in services["db"]["healthcheck"]["test"]


def test_only_the_migration_is_the_owner_and_no_process_of_ours_the_superuser():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    ours = {name: each["environment"] for name, each in services.items() if "build" in each}
    roles = {name: each["DATABASE_URL"].split("//")[1].split("@")[0] for name, each in ours.items()}
    assert roles.pop("migrate") == "docbook_owner"
    assert roles == dict.fromkeys(
        ("web", "events", "worker", "upkeep", "relay", "beat"), "docbook_app"
    )
    passwords = {name: each["DATABASE_PASSWORD"] for name, each in ours.items()}
    assert passwords.pop("migrate") == "${DATABASE_OWNER_PASSWORD:-}"
    assert set(passwords.values()) == {"${DATABASE_APP_PASSWORD:-}"}
    assert "POSTGRES_PASSWORD" not in str(ours)


def test_migration_differs_from_the_other_processes_in_its_role_alone():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    migrate, web = services["migrate"]["environment"], services["web"]["environment"]
    differing = {name for name in web | migrate if web.get(name) != migrate.get(name)}
    assert differing == {"DATABASE_URL", "DATABASE_PASSWORD", "DATABASE_PASSWORD_FILE"}


OF_A_SERVER = {
    *("secret_key", "otp_keys", "jwt_keys", "second_factor_keys"),
    *("metrics_token", "sms_url", "redis_password"),
}
SECRETS = {
    "db": {"postgres_password"},
    "redis": {"redis_password"},
    "roles": {"postgres_password", "database_owner_password", "database_app_password"},
    "migrate": OF_A_SERVER | {"database_owner_password"},
    **dict.fromkeys(
        ("web", "events", "worker", "upkeep", "relay", "beat"),
        OF_A_SERVER | {"database_app_password"},
    ),
}


def test_each_service_sees_the_files_of_its_own_secrets_alone():
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    services = compose["services"]
    assert {name: set(each["secrets"]) for name, each in services.items()} == SECRETS
    assert set(compose["secrets"]) == set().union(*SECRETS.values())
    # Nor through a folder that contains them all.
    folders = {volume for each in services.values() for volume in each.get("volumes", ())}
    assert folders == {"./deploy/postgres:/roles:ro", "db:/var/lib/postgresql", "redis:/data"}


def test_each_name_file_leads_to_a_secret_that_its_service_sees():
    """And is empty if no file was named: then the password is in the environment."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    wanted = re.compile(r"\$\{([A-Z_]+)_FILE:\+/run/secrets/(\w+)\}")
    for name, service in compose["services"].items():
        files = [value for key, value in service["environment"].items() if key.endswith("_FILE")]
        found = [wanted.fullmatch(value) for value in files]
        assert all(found), (name, files)
        assert {match[2] for match in found if match} == set(service["secrets"]), name
        assert all(match[1].lower() == match[2] for match in found if match), name


def test_secret_without_a_file_is_an_empty_one():
    """Compose refuses a secret whose file does not exist."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    for name, secret in compose["secrets"].items():
        assert secret == {"file": f"${{{name.upper()}_FILE:-/dev/null}}"}


def test_roles_are_made_before_the_migration():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert "roles" in services["migrate"]["depends_on"]
    assert services["roles"]["image"] == services["db"]["image"]
