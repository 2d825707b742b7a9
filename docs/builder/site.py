"""The site: pages with what their cells made, the reference, the notebooks, the source that pages link to; no network."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from docs.builder import check, notebook, page, reference
from docs.builder.page import DOCS, ROOT, Block, Page

BUILD = ROOT / "build"
STAGED, SITE = BUILD / "docs", BUILD / "site"
SETTINGS = Path(__file__).with_name("mkdocs.json")
LINK = re.compile(r"\]\(([^)\s#]+)(#[^)\s]*)?\)")
LANGUAGES = {"minitorch": "pycon", "ipython": "python", "plain": "text"}
ADDED = ("site.css", "worker.js", "zoom.js")
WORKERS = 2


class CannotBuild(Exception):
    """The site cannot be built; the text says why."""


def build(run: bool = True) -> Path:
    """Carry out every page, build the site in build/site, and check it; returns the path of its first page.

    `run` False takes the pictures and notebooks that an earlier build made.

    Raises:
        CannotBuild: a page does not do what it says, a word is misspelt, or a link leads nowhere.
    """
    paths = [path for path in page.pages() if DOCS in path.parents]
    spelling(page.pages())
    if run:
        carry_out(paths)
    shutil.rmtree(STAGED, ignore_errors=True)
    pages = [page.read(path) for path in paths]
    for one in pages:
        stage(one)
    for name in ADDED:
        shutil.copy(Path(__file__).with_name(name), STAGED / name)
    shutil.rmtree(SITE, ignore_errors=True)
    mkdocs(pages)
    problems = list(broken())
    if problems:
        raise CannotBuild("\n".join(problems))
    return SITE / "index.html"


def spelling(paths: list[Path]) -> None:
    """Raises CannotBuild when codespell knows better. What cells print is no prose, and not looked at."""
    exercises = [*DOCS.rglob("exercises/*.py"), *DOCS.rglob("answers/*.py"), *DOCS.rglob("notes/*.md")]
    folder = BUILD / "spelling"
    shutil.rmtree(folder, ignore_errors=True)
    for path in [*paths, *exercises, ROOT / "CHANGELOG.md"]:
        lines = path.read_text(encoding="utf-8").split("\n")
        for block in page.read(path).blocks if path.suffix == ".md" else ():
            if block.answer is not None:
                count = block.answer.text.count("\n") + 1
                lines[block.answer.line - 1 : block.answer.line - 1 + count] = [""] * count
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("\n".join(lines), encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", "codespell_lib", "."], capture_output=True, text=True, cwd=folder)
    if done.returncode:
        raise CannotBuild(done.stdout + done.stderr)


def carry_out(paths: list[Path]) -> None:
    """Run the pages and the notebooks of the course, each in a process of its own."""
    jobs = [["check", str(path)] for path in paths if page.read(path).runs]
    jobs += [["notebook", str(path)] for path in paths if is_module(path)]
    with ThreadPoolExecutor(WORKERS) as pool:
        for job, done in zip(jobs, pool.map(_job, jobs)):
            if done.returncode:
                raise CannotBuild(done.stdout + done.stderr)
            print(f"{job[0]:<9} {Path(job[1]).relative_to(ROOT)}", flush=True)


def _job(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "docs", *arguments], cwd=ROOT, capture_output=True, text=True)


def is_module(path: Path) -> bool:
    """Whether a page is a module of the course."""
    return path.parent == DOCS / "course" and path.stem[0].isdigit()


# Staging


def stage(one: Page) -> None:
    """Write a page where mkdocs reads it, and beside it what it shows and links to."""
    target = STAGED / one.path.relative_to(DOCS)
    target.parent.mkdir(parents=True, exist_ok=True)
    answers = [block.answer for block in one.blocks]
    text = "\n".join(_staged(block, one, any(block is answer for answer in answers)) for block in one.blocks)
    if is_module(one.path):
        made = notebook.NOTEBOOKS / f"{one.path.stem}.ipynb"
        _copy(made, target.parent / made.name)
        text = text.replace("\n", f"\n\n[This module as a notebook]({made.name}){{ .notebook download }}\n", 1)
    target.write_text(reference.filled(one, text), encoding="utf-8")


def _staged(block: Block, one: Page, is_answer: bool) -> str:
    if not block.kind:
        return LINK.sub(lambda found: f"]({_target(found[1], one)}{found[2] or ''})", block.text)
    head = "{ .text .output }" if is_answer else LANGUAGES.get(block.kind, block.kind)
    return f"```{head}\n{re.sub(r' +# not run$', '', block.text, flags=re.MULTILINE)}\n```"


def _target(link: str, one: Page) -> str:
    """Where a link leads in the site; what it leads to is brought there."""
    if re.match(r"\w+:", link):
        return link
    made, there = check.folder_of(one) / link, (one.path.parent / link).resolve()
    here = STAGED / one.path.relative_to(DOCS).parent
    if made.is_file():  # a cell wrote it
        _copy(made, here / one.path.stem / link)
        return f"{one.path.stem}/{link}"
    if there.is_file() and DOCS in there.parents:
        if not page.is_for_readers(there):
            _copy(there, STAGED / there.relative_to(DOCS))
        return link
    if there.exists() and ROOT in there.parents:
        return os.path.relpath(_source(there), here)
    return link  # mkdocs says that it leads nowhere


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def _source(path: Path) -> Path:
    """A page with a file of the project, or with the files of a folder."""
    name = path.relative_to(ROOT)
    made = STAGED / "source" / (f"{name}.md" if path.is_file() else f"{name}/index.md")
    if made.exists():
        return made
    made.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file():
        language = {".py": "python", ".toml": "toml", ".md": "markdown"}.get(path.suffix, "text")
        text = f"# {name}\n\n````{language} {{ linenums=1 }}\n{path.read_text(encoding='utf-8')}````\n"
    else:
        made.write_text("", encoding="utf-8")  # a folder inside may lead back here
        files = sorted(file for file in path.iterdir() if file.suffix == ".py")
        text = f"# {name}\n\n" + "".join(f"- [{file.name}]({_source(file).name})\n" for file in files)
    made.write_text(text, encoding="utf-8")
    return made


# mkdocs


def mkdocs(pages: list[Page]) -> None:
    """Build the HTML. Raises CannotBuild when mkdocs warns: every link must lead somewhere."""
    settings = json.loads(SETTINGS.read_text(encoding="utf-8"))
    settings |= {"docs_dir": str(STAGED), "site_dir": str(SITE), "nav": navigation(pages)}
    config = BUILD / "mkdocs.yml"
    config.write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=BUILD, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"})
    if done.returncode:
        raise CannotBuild(done.stdout + done.stderr)
    (SITE / "404.html").unlink()  # is for servers


def navigation(pages: list[Page]) -> list[Any]:
    """The start page, the three parts, and what was measured."""
    titles = {one.path.relative_to(DOCS).as_posix(): one.title for one in pages}

    def part(folder: str) -> list[dict[str, str]]:
        inside = [name for name in titles if name.startswith(f"{folder}/")]
        inside.sort(key=lambda name: (not name.endswith("index.md"), name))
        return [{titles[name].replace("`", ""): name} for name in inside]

    parts = [{heading: part(heading.lower())} for heading in ("Course", "Cookbook", "Reference") if part(heading.lower())]
    rest = [{titles[name]: name} for name in titles if "/" not in name and name != "index.md"]
    return [{"Start": "index.md"}, *parts, {"Results": rest}]


# What was built


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [(tag, value) for name, value in attrs if name in ("href", "src") and value]


def broken() -> Iterator[str]:
    """One sentence for every link of the site that leads nowhere, and for whatever would be fetched from a network."""
    for path in sorted(SITE.rglob("*.html")):
        found = _Links()
        found.feed(path.read_text(encoding="utf-8"))
        name = path.relative_to(SITE)
        for tag, link in found.links:
            if re.match(r"(https?:)?//", link):
                if tag != "a":
                    yield f"{name} fetches {link} from the network"
            elif not re.match(r"\w+:|#", link):
                target = (path.parent / unquote(link.partition("#")[0].partition("?")[0])).resolve()
                if not (target.is_file() or (target / "index.html").is_file()):
                    yield f"{name} links to {link}, which is not there"
