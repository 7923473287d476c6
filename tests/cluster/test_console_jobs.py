"""The console in a browser: writing a map, running it, watching, cancelling, looking back."""

from __future__ import annotations

from pathlib import Path

import pytest
import simplejson

from tests import guests
from tests.cluster.browser import Page
from tests.cluster.conftest import Client
from tests.cluster.jobs import node, nothing_left, program, stdin, stdout
from zerocloud.zebra import Zebra

REPLACE = """const view = document.querySelector('.editor').editor;
view.dispatch({changes: {from: 0, to: view.state.doc.length, insert: arguments[0]}}); done()"""
MARKS = """const root = document.querySelector('.editor').shadowRoot;
done([...root.querySelectorAll('.cm-lintRange-error')].map((mark) => mark.textContent))"""
COMPLETE = """const view = document.querySelector('.editor').editor;
const at = view.state.doc.toString().indexOf(arguments[0]) + arguments[0].length;
view.focus(); view.dispatch({selection: {anchor: at}}); done()"""
OPTIONS = """const root = document.querySelector('.editor').shadowRoot;
done([...root.querySelectorAll('.cm-completionLabel')].map((one) => one.textContent))"""


@pytest.fixture
def editor(page: Page, zebra: Zebra) -> Page:
    """The page with an empty editor of maps."""
    page.driver.get(f"{zebra.proxy_url}/console/#/map")
    page.says("Run a job")
    page.find(".editor")
    page.complaints()
    return page


def write(page: Page, *groups: dict) -> None:
    page.script(REPLACE, simplejson.dumps(groups, indent=2))


def run(page: Page) -> str:
    """Press the button; returns the job's id."""
    page.press("Run")
    page.until(lambda: "#/jobs/" in page.driver.current_url)
    page.find(".timeline")
    return page.driver.current_url.rpartition("/")[2]


def names(page: Page) -> set[str]:
    """Of the nodes in the table of sessions, as it is filled now."""
    return {row.text.partition(" ")[0] for row in page.all("table.sessions tbody tr")}


def ends(page: Page, state: str) -> None:
    page.until(lambda: page.find("h1 ~ .state").text == state, f"state {state}")


def test_a_mistake_is_shown_where_it_stands_then_the_map_runs(editor: Page, client: Client, container: str) -> None:
    url = program(client, container, "copy")
    for name in ("a.txt", "b.txt"):
        client.put(f"{container}/{name}", f"text of {name}\n", Content_Type="text/plain")
    good = node(url, "show", devices=[stdin(container, "*.txt"), stdout(content_type="text/plain")], connect=["sum"])
    total = node(url, "sum", devices=[stdout(content_type="text/plain")])
    write(editor, {**good, "conect": []}, total)
    editor.until(lambda: editor.script(MARKS) == ["[]"])
    editor.says("/0/conect")
    editor.says('Did you mean "connect"?')
    editor.picture("mistake")
    write(editor, {**good, "connect": []}, total)
    editor.until(lambda: len(editor.all(".graph g.box.node")) == 3)
    assert [one.text.split("\n")[0] for one in editor.all(".graph g.box.object")] == [
        f"{container}/a.txt"[:17] + "…",
        f"{container}/b.txt"[:17] + "…",
    ]
    run(editor)
    ends(editor, "succeeded")
    editor.says("text of a.txt")
    editor.says("text of b.txt")
    editor.until(lambda: len(editor.all(".graph g.box.succeeded")) == 3)
    editor.until(lambda: names(editor) == {"show-1", "show-2", "sum"})
    assert editor.all(".bars rect.run")
    for dark in (False, True):
        editor.dark(dark)
        editor.picture(f"job-{'dark' if dark else 'light'}")
    editor.phone(True)
    editor.picture("job-phone")
    assert editor.script("done(document.documentElement.scrollWidth <= innerWidth)")
    editor.phone(False)
    editor.dark(False)


def test_a_job_is_watched_and_cancelled(editor: Page, zebra: Zebra, client: Client, container: str) -> None:
    with nothing_left(zebra):
        write(editor, node(program(client, container, "loop"), "endless"))
        run(editor)
        editor.until(lambda: editor.all(".graph g.box.running"))
        editor.picture("running")
        editor.script("document.querySelector('button.danger').focus(); done()")
        since = editor.find(".timeline").get_attribute("outerHTML")
        editor.until(lambda: editor.find(".timeline").get_attribute("outerHTML") != since, "bars that grow")
        assert editor.driver.switch_to.active_element.text == "Cancel"
        editor.driver.switch_to.active_element.send_keys("\ue007")  # Enter
        editor.press("Cancel the job")
        ends(editor, "cancelled")
    assert not editor.complaints()


def test_a_failed_job_tells_why_and_runs_again(editor: Page, zebra: Zebra, client: Client, container: str) -> None:
    write(editor, node(program(client, container, "trap"), "broken"))
    failed = run(editor)
    ends(editor, "failed")
    editor.says("broken failed")
    editor.picture("failed")
    editor.press("Run again")
    editor.until(lambda: failed not in editor.driver.current_url)
    ends(editor, "failed")
    editor.driver.get(f"{zebra.proxy_url}/console/#/jobs?state=failed&search={failed}")
    editor.until(lambda: [row.text for row in editor.all("tbody th")] == [failed])
    editor.driver.get(f"{zebra.proxy_url}/console/#/usage?range=hour")
    editor.says("Processor time")
    editor.picture("usage")


def test_a_file_is_uploaded_and_run_then_opened(
    page: Page, zebra: Zebra, client: Client, container: str, tmp_path: Path
) -> None:
    page.driver.get(f"{zebra.proxy_url}/console/#/store/~/{container}")
    page.until(lambda: page.find("h1").text == container)
    (tmp_path / "notes.txt").write_text("no program")
    (tmp_path / "told.wasm").write_bytes(guests.compiled("arguments"))
    page.press("More actions")
    page.press("Upload and run…")
    page.find("dialog [name=file]").send_keys(str(tmp_path / "notes.txt"))
    page.press("Run")
    page.says("neither a map")
    page.find("dialog [name=file]").send_keys(str(tmp_path / "told.wasm"))
    page.press("Run")
    page.until(lambda: "#/jobs/" in page.driver.current_url)
    ends(page, "succeeded")
    page.says("told.wasm")
    page.press("All that was counted", "summary")
    page.says("Bytes written")
    page.driver.get(f"{zebra.proxy_url}/console/#/store/~/{container}")
    page.press("Actions for told.wasm")
    page.press("Open with its program")
    page.press("Open")
    page.says("Answer")
    page.fill("query", "args=spoken&content_type=text/plain")
    page.press("Open")
    page.says("spoken")
    page.picture("open")
    client.put(f"{container}/x.strange", "x", Content_Type="text/strange")
    page.driver.get(f"{zebra.proxy_url}/console/#/open/~/{container}/x.strange")
    page.says("with your rights")  # an address alone, which anybody may have made, runs nothing
    page.press("Open")
    page.says("No application registered")
    assert not page.complaints()


def test_what_a_program_prints_is_text(editor: Page, client: Client, container: str) -> None:
    attack = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>\n"
    client.put(f"{container}/attack", attack)
    devices = [stdin(container, "attack"), stdout(content_type="text/html")]
    write(editor, node(program(client, container, "copy"), "<b>bold", devices=devices))
    run(editor)
    ends(editor, "succeeded")
    editor.says(attack.strip())
    assert not editor.all("main img, main script, main b")
    assert "taken" not in editor.driver.title
    assert not editor.complaints()


def test_completion_knows_the_schema_and_what_is_stored(editor: Page, client: Client, container: str) -> None:
    client.put(f"{container}/words.txt", "")
    write(editor, {"name": "a", "on_e": 1, "devices": [{"name": "x", "path": f"swift://~/{container}/w"}]})
    for place, option in (('"on_e', '"on_error"'), (f"{container}/w", f"swift://~/{container}/words.txt")):
        editor.script(COMPLETE, place)
        editor.script("document.querySelector('.editor').editor.contentDOM.focus(); done()")
        editor.driver.switch_to.active_element.send_keys("\ue009 ")  # Ctrl-Space
        editor.until(lambda option=option: option in editor.script(OPTIONS), option)


def test_a_plan_with_a_circle_is_drawn(page: Page) -> None:
    code = """import('/console/js/layout.js').then(({layered}) => {
        const {places, layers} = layered(['a', 'b', 'c', 'd'], [['a', 'b'], ['b', 'a'], ['b', 'c'], ['a', 'c'], ['d', 'd']]);
        done([layers, ...['a', 'b', 'c', 'd'].map((id) => places.get(id).layer)]); })"""
    assert page.script(code) == [3, 0, 1, 2, 0]


def test_events_are_read_however_they_are_cut(page: Page) -> None:
    code = """import('/console/js/sse.js').then(async ({events}) => {
        const bytes = new TextEncoder().encode(arguments[0]);
        const found = [];
        const body = new ReadableStream({start(to) { for (const byte of bytes) to.enqueue(Uint8Array.of(byte)); to.close(); }});
        for await (const one of events(body)) found.push([one.event, one.data]);
        done(found); })"""
    stream = ': hello\n\nevent: node\ndata: {"a":\ndata: "é"}\n\nevent: end\r\ndata: 1\r\n\r\n'
    assert page.script(code, stream) == [["node", '{"a":\n"é"}'], ["end", "1"]]
