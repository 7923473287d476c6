"""Work that takes a while, on a terminal: what is being done, for how long, and a bar where that is known beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.progress_bar import ProgressBar
from rich.text import Text

WIDTH = 30
MOST = 0.98
"""What is shown of a bar until the work has ended: the time it takes is an estimate."""


class Steps:
    """Called at the beginning of each step, with what it is and, where that is known, about how many seconds it takes."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def __call__(self, text: str, seconds: float | None = None) -> None:
        self._progress.reset(self._task, description=f"{text} …", expected=seconds)


class _Expected(ProgressColumn):
    """The time passed, as a bar of the time that it should take."""

    def render(self, task: Task) -> ProgressBar | Text:
        expected = task.fields["expected"]
        if not expected:
            return Text()
        return ProgressBar(total=expected, completed=min(task.elapsed or 0.0, MOST * expected), width=WIDTH)


@contextmanager
def steps(console: Console, text: str) -> Iterator[Steps]:
    """Show the steps of what is done inside the block, and leave the terminal as it was. Nothing is shown elsewhere."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), _Expected(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Steps(progress, progress.add_task(f"{text} …", total=None, expected=None))
