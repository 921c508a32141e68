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
