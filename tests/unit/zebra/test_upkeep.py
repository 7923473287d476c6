"""Which accounts a node's containers tell how much they hold, and how often."""

from types import SimpleNamespace

from zerocloud.zebra.upkeep import EXPIRING, EXPIRING_SECONDS, quieten


def test_the_queue_of_what_expires_is_told_seldom():
    updater = SimpleNamespace(account_suppressions={"AUTH_test": 5.0})
    quieten(updater, 100.0)
    assert updater.account_suppressions == {"AUTH_test": 5.0, EXPIRING: 100.0 + EXPIRING_SECONDS}
    quieten(updater, 110.0)  # a sweep without it does not put it off
    assert updater.account_suppressions[EXPIRING] == 100.0 + EXPIRING_SECONDS
    quieten(updater, 101.0 + EXPIRING_SECONDS)
    assert updater.account_suppressions[EXPIRING] == 101.0 + 2 * EXPIRING_SECONDS
