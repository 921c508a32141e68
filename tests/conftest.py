"""What every test shares. Rows come from tests.factories, not from fixtures."""

from hypothesis import HealthCheck, settings

# A busy machine must not fail a property by its speed.
settings.register_profile("docbook", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("docbook")
