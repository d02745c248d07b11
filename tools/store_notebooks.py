"""Run notebooks from top to bottom and store them with what came out: `make notebooks`.

A file is replaced whole, or left as it was when a cell fails. Two runs of a deterministic notebook give the same
bytes: what tells only of the run (times, widget ids, progress bars half-way) is not kept. The figure of a cell tagged
`picture` is the README's picture, and is written beside it.
"""

import argparse
import base64
import os
import sys
import time
from pathlib import Path

import minutes
import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "picture.png"  # in the README
WIDGET = "application/vnd.jupyter.widget-view+json"
WIDGET_NOTE = "(Here is a widget: run this cell to use it.)"


def run(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Execute in a fresh kernel, as a learner would from JupyterLab: started in the notebook's folder."""
    NotebookClient(
        notebook,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        timeout=600,
        record_timing=False,  # no timestamps in the cells
        coalesce_streams=True,  # one text per stream, a progress bar in its last state only
    ).execute()


def tidy(notebook: nbformat.NotebookNode) -> None:
    """Drop what differs from run to run, or from machine to machine, without meaning anything."""
    # nbclient 0.11 can be told not to collect widget state, but then fails on every Output widget.
    for key in ("widgets", "papermill", "signature"):
        notebook.metadata.pop(key, None)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        for key in ("execution", "ExecuteTime", "papermill"):
            cell.metadata.pop(key, None)
        for output in cell.get("outputs", []):
            # Without its kernel a widget is an error message in JupyterLab and nothing elsewhere: say what it is.
            if WIDGET in output.get("data", {}):
                output["data"] = {"text/plain": WIDGET_NOTE}


def check_counts(notebook: nbformat.NotebookNode) -> None:
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    if counts != list(range(1, len(counts) + 1)):
        raise ValueError(f"execution counts should run from 1 to {len(counts)}, but are {counts}")


def picture(notebook: nbformat.NotebookNode) -> bytes | None:
    """The figure of the cell that is tagged `picture`: what the README shows."""
    for cell in notebook.cells:
        if "picture" in cell.metadata.get("tags", []):
            [image] = [output.data["image/png"] for output in cell.outputs if "image/png" in output.get("data", {})]
            return base64.b64decode(image)
    return None


def store(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    run(notebook, path.parent)
    tidy(notebook)
    check_counts(notebook)
    draft = path.with_name(path.name + ".tmp")
    try:
        nbformat.write(notebook, draft)  # validates too
        os.replace(draft, path)  # one step: nobody ever sees half a notebook
    finally:
        draft.unlink(missing_ok=True)
    if path.parent == ROOT / "notebooks" and (image := picture(notebook)):
        PICTURE.write_bytes(image)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of notebooks/")
    paths = parser.parse_args().notebooks or sorted((ROOT / "notebooks").glob("*.ipynb"))
    failed, seconds = [], {}
    for path in paths:
        start = time.perf_counter()
        try:
            store(path.resolve())
        except Exception as error:  # whatever it is, the other notebooks still get their turn
            failed.append(path.name)
            print(f"{path.name}: NOT stored\n{error}", file=sys.stderr)
        else:
            seconds[path.stem] = time.perf_counter() - start
            print(f"{path.name}: stored after {seconds[path.stem]:.0f} s, {path.stat().st_size // 1024} KB")
    if any(path.resolve().parent == ROOT / "notebooks" for path in paths):
        minutes.update(seconds)
    if failed:
        print(f"{len(failed)} of {len(paths)} left as they were: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
