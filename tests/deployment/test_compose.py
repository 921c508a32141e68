"""What docker compose opens to whom."""

import yaml

from devstack.layout import ROOT


def test_nothing_is_published_beyond_this_machine():
    """A caller past the proxy would write the X-Forwarded-For that the limits believe."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:${PORT:-8000}:8000"]}
