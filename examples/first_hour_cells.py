"""Runs the cells of a notebook in this process, by IPython alone: ``first_hour_cells.py NOTEBOOK``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

try:
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output
except ImportError:
    print("The notebook is left out: there is no IPython here (pip install ipython).")
    sys.exit()


def main(notebook: str) -> None:
    """Run its cells in order, and print what each of them shows. Exits with 1 at the first that fails."""
    shell = InteractiveShell.instance()
    for cell in json.loads(Path(notebook).read_text())["cells"]:
        if cell["cell_type"] == "code":
            with capture_output() as shown:
                result = shell.run_cell("".join(cell["source"]))
            sys.stdout.write(shown.stdout)
            print(f"{sum('text/html' in output.data for output in shown.outputs)} pictures of the job were shown")
            if not result.success:
                sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
