"""Each module of the course as a notebook, from the same text: cells stay cells, the rest is markdown."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Any

from docs.builder.page import DOCS, ROOT, Page

NOTEBOOKS = ROOT / "build" / "notebooks"
SECONDS = 300  # that one cell may take


def notebook(page: Page) -> Any:
    """The notebook of a page, as nbformat has it. What a cell prints, the notebook shows when it is run."""
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    answers = [block.answer for block in page.blocks]
    cells: list[Any] = []
    for block in page.blocks:
        number = f"cell-{len(cells)}"
        if block.kind == "python":
            cells.append(new_code_cell(block.text, id=number))
        elif not any(block is answer for answer in answers):
            text = _linked(block.text, page) if not block.kind else f"```{block.kind}\n{block.text}\n```"
            if text.strip() and cells and cells[-1].cell_type == "markdown":
                cells[-1].source += "\n" + text.rstrip()
            elif text.strip():
                cells.append(new_markdown_cell(text.strip("\n"), id=number))
    return new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})


def write(page: Page, run: bool = True) -> Path:
    """Write the notebook of a page into build/notebooks, run in a kernel of Jupyter's; returns its path.

    Raises nbclient.exceptions.CellExecutionError when a cell raises.
    """
    import nbformat

    made = notebook(page)
    NOTEBOOKS.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (NOTEBOOKS / "docs").symlink_to(DOCS, target_is_directory=True)  # paths in cells read as from the root of the clone
    if run:
        from nbclient import NotebookClient

        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
        NotebookClient(made, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOKS)}}).execute()
    path = NOTEBOOKS / f"{page.path.stem}.ipynb"
    nbformat.write(made, path)
    return path


def _linked(text: str, page: Page) -> str:
    """Links to files of the project, as seen from the folder of notebooks; pictures and lessons lie beside the notebook."""

    def seen(found: re.Match[str]) -> str:
        target = (page.path.parent / found[1]).resolve()
        return f"]({os.path.relpath(target, NOTEBOOKS)}{found[2]})" if target.exists() else found[0]

    return re.sub(r"\]\(([^)\s#:]+)(#[^)\s]*)?\)", lambda found: seen(found) if found[1] else found[0], text)
