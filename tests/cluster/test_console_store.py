"""The console in a browser: signing in, containers, objects, and what hostile names and contents can't do."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.cluster.browser import Page
from tests.cluster.conftest import Client, connect
from zerocloud.zebra import Zebra

HOSTILE = ("<img src=x onerror=alert(1)>", "\"'><script>alert(2)", "javascript:alert(3)", "{{7*7}}", "‮exe.txt")


@pytest.fixture
def place(page: Page, zebra: Zebra, container: str) -> Iterator[Page]:
    page.driver.get(f"{zebra.proxy_url}/console/#/store/~/{container}")
    page.until(lambda: page.find("h1").text == container)
    yield page
    assert not page.complaints()


def test_a_container_is_made_filled_and_deleted(place: Page, client: Client, container: str, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("one.txt", "two.txt", "three.txt")]
    for file in files:
        file.write_text(f"this is {file.name}\n" * 1000)
    place.find("[name=files]").send_keys("\n".join(map(str, files)))
    place.until(lambda: client.names(container) == sorted(file.name for file in files))
    place.press("two.txt", "a")
    place.says("text/plain")
    assert client.get(f"{container}/two.txt").text == files[1].read_text()
    place.driver.back()
    place.press("Actions for one.txt")
    place.press("Delete…")
    place.press("Delete")
    place.until(lambda: client.names(container) == ["three.txt", "two.txt"])


def test_an_upload_is_cancelled(place: Page, client: Client, container: str, tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    large.write_bytes(bytes(8 << 20))
    place.slow(200_000)
    place.find("[name=files]").send_keys(str(large))
    place.until(lambda: place.find(".task progress").get_attribute("value"), "progress of the upload")
    place.until(lambda: "/s" in place.find(".task-state").text, "its rate")
    place.picture("upload")
    place.press("Cancel")
    place.says("cancelled")
    place.slow(None)
    assert client.names(container) == []


def test_a_container_is_deleted_with_what_it_holds(place: Page, client: Client) -> None:
    client.put_container("doomed")
    for number in range(30):
        client.put(f"doomed/folder/{number}", "")
    place.press("Containers", "a")
    place.press("Actions for doomed")
    place.press("Delete…")
    place.says("There is no way back.")
    place.press("Delete")
    place.until(lambda: client.request("HEAD", "doomed").status_code == 404)


def test_a_container_of_another_account(place: Page, zebra: Zebra) -> None:
    owner = connect(zebra, "test2:tester2")
    owner.put_container("lent", X_Container_Read="test:tester")
    owner.put("lent/object.txt", "from next door", Content_Type="text/plain")
    place.press("Containers", "a")
    place.press("Add shared…")
    place.fill("account", "AUTH_test2")
    place.fill("container", "closed")
    place.press("Add")
    place.says("Access was denied")
    place.fill("container", "lent")
    place.press("Add")
    place.press("AUTH_test2 / lent", "a")
    place.press("object.txt", "a")
    place.find(".editor")
    place.driver.back()
    place.driver.back()
    place.press("Remove from the list")
    place.says("The container itself has not changed.")
    assert owner.get("lent/object.txt").text == "from next door"
    owner.request("DELETE", "lent/object.txt")
    owner.request("DELETE", "lent")
    owner.close()


def test_a_token_that_has_expired(page: Page, zebra: Zebra) -> None:
    key = "zerocloud.session"
    page.driver.get(f"{zebra.proxy_url}/console/#/store")
    kept = page.driver.execute_script("return sessionStorage.getItem(arguments[0])", key)
    spoil = "const [key] = arguments; const one = JSON.parse(sessionStorage.getItem(key)); one.token = 'expired'; "
    page.driver.execute_script(spoil + "sessionStorage.setItem(key, JSON.stringify(one)); location.reload()", key)
    page.says("Your token is no longer valid.")
    assert page.driver.execute_script("return sessionStorage.getItem(arguments[0])", key) is None
    page.driver.execute_script("sessionStorage.setItem(arguments[0], arguments[1]); location.reload()", key, kept)
    page.says("New container")


def test_a_text_is_edited_and_keeps_its_metadata(place: Page, client: Client, container: str) -> None:
    client.put(f"{container}/notes/a b.md", "old", Content_Type="text/markdown", X_Object_Meta_Colour="gr\u00fcn".encode())
    place.driver.refresh()
    place.press("notes/", "a")
    place.press("a b.md", "a")
    place.says("grün")
    place.until(lambda: place.find(".editor"))
    place.script("document.querySelector('.editor').editor.dispatch({changes: {from: 0, to: 3, insert: 'néw'}}); done()")
    place.press("Save")
    place.says("is saved")
    stored = client.get(f"{container}/notes/a b.md")
    assert stored.content == "néw".encode()
    assert stored.headers["Content-Type"].startswith("text/markdown")
    assert stored.headers["X-Object-Meta-Colour"].encode("latin-1").decode() == "grün"


def test_what_was_not_saved_is_not_lost(place: Page, client: Client, container: str) -> None:
    client.put(f"{container}/text.txt", "stored", Content_Type="text/plain")
    place.driver.refresh()
    place.press("text.txt", "a")
    place.find(".editor")
    place.script("document.querySelector('.editor').editor.dispatch({changes: {from: 0, insert: 'not '}}); done()")
    place.press("Containers", "a")
    place.says("New container")
    place.driver.back()
    place.says("you left without saving")
    place.press("Save")
    place.says("is saved")
    assert client.get(f"{container}/text.txt").text == "not stored"


def test_a_compressed_text_is_not_edited(place: Page, client: Client, container: str) -> None:
    packed = gzip.compress(b"text")
    client.put(f"{container}/packed.txt", packed, Content_Type="text/plain", Content_Encoding="gzip")
    place.driver.refresh()
    place.press("packed.txt", "a")
    place.says("It is stored compressed (gzip).")
    assert not place.all(".editor")


def test_metadata_and_access(place: Page, client: Client, container: str) -> None:
    place.press("More actions")
    place.press("Metadata of the container…")
    place.press("Add a row")
    names = place.all("dialog input")
    names[0].send_keys("Owner")
    names[1].send_keys("Zoë")
    place.press("Save")
    place.says("The metadata is saved.")
    place.press("More actions")
    place.press("Access to the container…")
    place.press("Anyone may read the objects", "label")
    place.press("Save")
    place.says(f"Access to {container} is saved.")
    head = client.request("HEAD", container).headers
    assert head["X-Container-Meta-Owner"].encode("latin-1").decode() == "Zoë"
    assert head["X-Container-Read"] == ".r:*"


def test_pages_of_a_listing_come_as_one_scrolls(place: Page, client: Client, container: str) -> None:
    stored = io.BytesIO()
    with tarfile.open(fileobj=stored, mode="w") as archive:
        for number in range(105):
            archive.addfile(tarfile.TarInfo(f"{number:03}"))
    answer = client.session.put(f"{client.url}/{container}?extract-archive=tar", data=stored.getvalue(), timeout=60)
    assert answer.status_code == 200, answer.text
    place.driver.refresh()
    place.until(lambda: len(place.all("tbody tr")) >= 100)
    place.driver.execute_script("scrollTo(0, document.body.scrollHeight)")
    place.until(lambda: len(place.all("tbody tr")) == 105)
    names = "\n".join(f"{container}/{number:03}" for number in range(105))
    client.session.post(f"{client.url}?bulk-delete", data=names, headers={"Content-Type": "text/plain"}, timeout=60)


def test_hostile_names_and_contents_are_text(place: Page, client: Client, container: str) -> None:
    for name in HOSTILE:
        client.put(
            f"{container}/{name}",
            f"<script>alert({name!r})</script>",
            Content_Type="text/html",
            X_Object_Meta_Evil=name.encode(),
        )
    place.driver.refresh()
    for name in HOSTILE:
        shown = [link.text for link in place.until(lambda: place.all("tbody a"))]
        assert name in shown
    for name in HOSTILE[:3]:
        place.press(f"Actions for {name}")
        place.press("Metadata and type…")
        place.press("Cancel")
    assert not place.all("main script, main img, main iframe")
    assert place.script("done(document.querySelectorAll('[onerror]').length)") == 0


def test_a_name_that_would_lead_elsewhere_is_refused(place: Page) -> None:
    """A browser takes ``..`` in a URL for a way up, however it is quoted: DELETE would hit another object."""
    code = (
        "import('/console/js/http.js').then((http) => http.pathOf('c', 'a/../../other/x')).then(done, (e) => done(e.message))"
    )
    assert "can't address" in place.script(code)


def test_what_the_page_is_served_with(zebra: Zebra) -> None:
    answer = requests.get(f"{zebra.proxy_url}/console", timeout=10)
    assert answer.url.endswith("/console/")
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'" in answer.text
    assert "%connect%" not in answer.text
    again = requests.get(answer.url, headers={"If-None-Match": answer.headers["ETag"]}, timeout=10)
    assert (again.status_code, again.content) == (304, b"")
    assert requests.post(answer.url, timeout=10).status_code == 405
    assert requests.get(f"{answer.url}../etc/passwd", timeout=10).status_code != 200
    assert requests.get(f"{answer.url}%2e%2e/__init__.py", timeout=10).status_code == 404


def test_the_page_as_it_looks(page: Page, zebra: Zebra) -> None:
    page.driver.get(f"{zebra.proxy_url}/console/#/store")
    page.says("Containers")
    for dark in (False, True):
        page.dark(dark)
        for phone in (False, True):
            page.phone(phone)
            name = f"store-{'dark' if dark else 'light'}-{'phone' if phone else 'desk'}"
            assert page.picture(name).stat().st_size > 5000
            assert page.script("done(document.documentElement.scrollWidth <= innerWidth)"), f"{name}: wider than the screen"
    page.phone(False)
    page.dark(False)


def test_who_has_chosen_a_theme_has_it_whatever_the_system_prefers(page: Page, zebra: Zebra) -> None:
    page.driver.get(f"{zebra.proxy_url}/console/#/store")
    page.says("Containers")
    shown = "done(getComputedStyle(document.body).backgroundColor)"
    seen = {}
    for dark in (False, True):
        page.dark(dark)
        for theme in ("", "light", "dark"):
            seen[dark, theme] = page.script(f"document.documentElement.dataset.theme = '{theme}'; {shown}")
    page.script("document.documentElement.dataset.theme = ''; done()")
    page.dark(False)
    light, night = seen[False, ""], seen[True, ""]
    assert light != night
    assert [seen[dark, "light"] for dark in (False, True)] == [light, light]
    assert [seen[dark, "dark"] for dark in (False, True)] == [night, night]
