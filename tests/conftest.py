"""Property tests judge results, not speed: machines that run many tests at once are slow now and then."""

from hypothesis import HealthCheck, settings

settings.register_profile("zerocloud", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("zerocloud")
