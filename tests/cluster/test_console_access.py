"""The console for those who hear it, who have no mouse, or a small screen: every view, walked through."""

from __future__ import annotations

import pytest

from tests.cluster.browser import Page
from tests.cluster.conftest import Client
from zerocloud.zebra import Zebra

VIEWS = {"store": "store", "objects": "store/~/{container}", "map": "map", "jobs": "jobs", "zapps": "zapps", "usage": "usage"}
ACTIVE = {
    *("button", "link", "textbox", "searchbox", "combobox", "checkbox", "radio", "spinbutton", "menuitem", "tab"),
    *("meter", "image"),
}
# The walk begins at the top of the page, wherever the focus was before.
BEGIN = """window.visited = new Set(); document.body.tabIndex = -1; document.body.focus();
document.body.removeAttribute('tabindex'); done()"""
# The name of what has the focus, or nothing if that is the page itself, or was there before: many things may have one name.
FOCUSED = """let one = document.activeElement; while (one.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
const again = one === document.body || window.visited.has(one); window.visited.add(one);
done(again ? null : one.tagName + ' ' + (one.getAttribute('aria-label') || one.textContent || one.name).trim())"""
TAB = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
MOST_STOPS = 1000


def unnamed(page: Page) -> list[str]:
    """What the accessibility tree has that does something, or means something, and has no name."""
    page.driver.execute_cdp_cmd("Accessibility.enable", {})
    nodes = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    page.driver.execute_cdp_cmd("Accessibility.disable", {})
    told = [(node.get("role", {}).get("value"), node.get("name", {}).get("value")) for node in nodes if not node["ignored"]]
    assert any(role == "button" for role, _ in told)
    return [role for role, name in told if role in ACTIVE and not name]


def stops(page: Page) -> list[str]:
    """What the key Tab leads to, in order, until it leaves the page or comes back."""
    page.script(BEGIN)
    found: list[str] = []
    for _ in range(MOST_STOPS):
        for kind in ("keyDown", "keyUp"):
            page.driver.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": kind, **TAB})
        here = page.script(FOCUSED)
        if here is None:
            break
        found.append(here)
    return found


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_for_everybody(page: Page, zebra: Zebra, client: Client, container: str, view: str) -> None:
    client.put(f"{container}/a text.txt", "words", Content_Type="text/plain")
    page.driver.get(f"{zebra.proxy_url}/console/#/{VIEWS[view].format(container=container)}")
    page.find("main h1")
    page.until(lambda: page.script("done(!document.querySelector('[aria-busy=true]'))"))
    page.complaints()
    assert unnamed(page) == []
    assert any("Sign out" in one for one in stops(page))
    page.phone(True)
    try:
        for dark in (False, True):
            page.dark(dark)
            page.picture(f"view-{view}-phone-{'dark' if dark else 'light'}")
        assert page.script("const all = document.scrollingElement; done(all.scrollWidth - all.clientWidth)") <= 0
    finally:
        page.phone(False)
        page.dark(False)
    page.picture(f"view-{view}")
    assert page.complaints() == []
