"""What docker compose opens to whom."""

import yaml

from devstack.layout import ROOT


def test_nothing_is_published_beyond_this_machine():
    """A caller past the proxy would write the X-Forwarded-For that the limits believe."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:${PORT:-8000}:8000"]}


def test_no_password_stands_in_a_url():
    """It may hold @, / or #: what came after would be read as a host or a database."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    urls = services["web"]["environment"]
    assert "PASSWORD" not in urls["DATABASE_URL"] + urls["REDIS_URL"]


def test_database_counts_as_ready_only_where_others_reach_it():
    """While its data is made the server listens on a socket alone."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert "--host=127.0.0.1" in services["db"]["healthcheck"]["test"]


def test_only_the_migration_is_the_owner_and_no_process_of_ours_the_superuser():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    ours = {name: each["environment"] for name, each in services.items() if "build" in each}
    roles = {name: each["DATABASE_URL"].split("//")[1].split("@")[0] for name, each in ours.items()}
    assert roles.pop("migrate") == "docbook_owner"
    assert roles == dict.fromkeys(("web", "worker", "upkeep", "relay", "beat"), "docbook_app")
    passwords = {name: each["DATABASE_PASSWORD"] for name, each in ours.items()}
    assert passwords.pop("migrate") == "${DATABASE_OWNER_PASSWORD:-}"
    assert set(passwords.values()) == {"${DATABASE_APP_PASSWORD:-}"}
    assert "POSTGRES_PASSWORD" not in str(ours)


def test_migration_differs_from_the_other_processes_in_its_role_alone():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    migrate, web = services["migrate"]["environment"], services["web"]["environment"]
    differing = {name for name in web | migrate if web.get(name) != migrate.get(name)}
    assert differing == {"DATABASE_URL", "DATABASE_PASSWORD", "DATABASE_PASSWORD_FILE"}


def test_roles_are_made_before_the_migration():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert "roles" in services["migrate"]["depends_on"]
    assert services["roles"]["image"] == services["db"]["image"]
