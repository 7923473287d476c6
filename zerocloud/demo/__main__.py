"""The demo as one command. Exit code 0 if the job's answer is what a count on the client says."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
import requests
import simplejson
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from swiftclient import ClientException, Connection

from zerocloud.zebra import Zebra, ZebraError

from . import corpus, job

GUESTS = Path(__file__).parent / "guests"
JOB_TIMEOUT = 120  # seconds

console = Console()


class JobFailed(Exception):
    """The cluster answered the job with an error. The text is its answer."""


def upload(store: Connection, shares: Sequence[Sequence[Path]], total: int) -> Counter[bytes]:
    """Put the input and the programs into the store. Returns the words counted on the way."""
    words: Counter[bytes] = Counter()
    for container in (job.TEXT, job.PROGRAMS):
        store.put_container(container)
    for program in (job.MAPPER, job.REDUCER):
        with (GUESTS / program).open("rb") as source:
            store.put_object(job.PROGRAMS, program, source, content_type="application/wasm")
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(f"Uploading {len(shares)} objects", total=total)
        for number, share in enumerate(shares, 1):
            data = b"".join(corpus.read(share))
            store.put_object(job.TEXT, f"part-{number:02}.txt", data, content_type="text/plain")
            words += corpus.count([data])
            progress.advance(task, sum(path.stat().st_size for path in share))
    return words


def run_job(url: str, token: str, reducers: int, most: int) -> tuple[requests.Response, float]:
    """POST the map; the answer and the seconds it took."""
    document = simplejson.dumps(job.system_map(reducers, most))
    headers = {"X-Auth-Token": token, "X-Zerovm-Execute": "1.0", "Content-Type": "application/json"}
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console) as progress:
        progress.add_task("Running the map/reduce job where the objects are")
        began = time.monotonic()
        answer = requests.post(url, data=document, headers=headers, timeout=JOB_TIMEOUT)
    return answer, time.monotonic() - began


def show(rows: Sequence[job.NodeRow], words: Sequence[tuple[str, int]]) -> None:
    """Print the table of nodes and the top words."""
    nodes = Table(title="Nodes", title_justify="left")
    nodes.add_column("node")
    nodes.add_column("ran on", no_wrap=True)
    nodes.add_column("status")
    for heading in ("seconds", "bytes read", "bytes sent"):
        nodes.add_column(heading, justify="right")
    for row in rows:
        nodes.add_row(row.name, row.server, row.status, f"{row.seconds:.3f}", f"{row.read:,}", f"{row.sent:,}")
    top = Table(title="Top words", title_justify="left")
    top.add_column("word")
    top.add_column("count", justify="right")
    for word, number in words:
        top.add_row(word, f"{number:,}")
    console.print(nodes, top)


def demonstrate(directory: str, nodes: int, objects: int, reducers: int, most: int) -> bool:
    """The whole demo; whether the job's answer is what a count on the client says. Raises JobFailed and the client's errors."""
    began = time.monotonic()
    files = corpus.source_files()
    shares = corpus.deal(files, objects)
    total = sum(size for _, size in files)
    console.print(
        f"Starting a Swift cluster with {nodes} storage nodes in {directory}; its input: the Python library's source text"
    )
    with Zebra(Path(directory), nodes=nodes, destroy=True) as cluster:
        console.print(f"Up after {time.monotonic() - began:.1f} s: {cluster.url}")
        store = Connection(preauthurl=cluster.url, preauthtoken=cluster.token)
        words = upload(store, shares, total)
        answer, seconds = run_job(cluster.url, cluster.token, reducers, most)
        console.print("Stopping the cluster ...")
    if answer.status_code != requests.codes.ok:
        raise JobFailed(f"the job's status is {answer.status_code}\n{answer.text}")
    counted = job.word_counts(answer.content)
    show(job.node_rows(answer.headers), counted)
    agree = counted == corpus.top(words, most)
    console.print(
        f"{total / 1e6:.1f} MB in {objects} objects counted in {seconds:.1f} s by {objects} mappers, {reducers} reducers and a "
        f"collector; a count on the client {'agrees' if agree else 'differs'}.\n"
        f"The whole demo took {time.monotonic() - began:.1f} s, installing aside."
    )
    return agree


@click.command()
@click.option(
    "--dir", "directory", default=".demo", show_default=True, help="Where the cluster is laid out; removed at the end."
)
@click.option("--nodes", default=4, show_default=True, help="Storage nodes.")
@click.option("--objects", default=16, show_default=True, help="Parts of the input, each an object with a mapper of its own.")
@click.option("--reducers", default=2, show_default=True, help="Nodes that add up what the mappers send.")
@click.option("--top", "most", default=15, show_default=True, help="Words to print.")
def main(directory: str, nodes: int, objects: int, reducers: int, most: int) -> None:
    """Count the words of the Python library's source by map/reduce inside a Swift cluster, and check the answer."""
    try:
        agree = demonstrate(directory, nodes, objects, reducers, most)
    except (ZebraError, JobFailed, ClientException, requests.RequestException) as error:
        sys.exit(f"The demo failed: {error}")
    if not agree:
        sys.exit("The client counts other words than the job did.")


if __name__ == "__main__":
    main()
