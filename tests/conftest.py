"""How every test runs."""

import signal

import pytest
from hypothesis import HealthCheck, settings

# Property tests judge results, not speed: machines that run many tests at once are slow now and then.
settings.register_profile("zerocloud", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("zerocloud")

# What starts tests in the background may ignore Ctrl-C, and programs inherit that; some tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Its assertions are those of the tests on either side.
pytest.register_assert_rewrite("tests.agreement")
