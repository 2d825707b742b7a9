"""The site: what pages link to is brought along, what leads nowhere is told, and nothing is fetched from a network."""

from __future__ import annotations

import os

import pytest

from docs.builder import check, notebook, page, reference, site
from tests.viz import browser

PAGE = """\
# A page

```python
open("made.svg", "w").write('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
```

```text
62
```

![a picture](made.svg) and [the code](../samples/one.py), [the next page](other.md#there).
"""
OTHER = """\
# Another

## There

<!-- made: selectors -->
"""


@pytest.fixture
def tree(tmp_path, monkeypatch):
    docs, build = tmp_path / "docs", tmp_path / "build"
    for module, names in (
        (page, {"ROOT": tmp_path, "DOCS": docs}),
        (check, {"ROOT": tmp_path, "DOCS": docs, "PAGES": build / "pages"}),
        (site, {"ROOT": tmp_path, "DOCS": docs, "BUILD": build, "STAGED": build / "docs", "SITE": build / "site"}),
    ):
        for name, value in names.items():
            monkeypatch.setattr(module, name, value)
    docs.mkdir()
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "one.py").write_text('"""One."""\n')
    (docs / "index.md").write_text(PAGE)
    (docs / "other.md").write_text(OTHER)
    return tmp_path


def built(tree):
    pages = [page.read(path) for path in page.pages()[1:]]
    for one in pages:
        assert check.Run(one).run() == []
        site.stage(one)
    for name in site.ADDED:
        (site.STAGED / name).write_text("")
    site.mkdocs(pages)
    return (site.SITE / "index.html").read_text(encoding="utf-8")


def test_a_page_brings_what_it_shows_and_links_to(tree):
    pytest.importorskip("mkdocs")
    pytest.importorskip("material")
    html = built(tree)
    assert 'src="index/made.svg"' in html and (site.SITE / "index" / "made.svg").exists()
    assert "source/samples/one.py.html" in html
    assert "mul_3" in (site.SITE / "other.html").read_text(encoding="utf-8")
    assert list(site.broken()) == []


def test_a_link_that_leads_nowhere_stops_the_build(tree):
    pytest.importorskip("mkdocs")
    pytest.importorskip("material")
    (tree / "docs" / "index.md").write_text(PAGE.replace("other.md#there", "other.md#nowhere"))
    with pytest.raises(site.CannotBuild, match="nowhere"):
        built(tree)


def test_what_would_need_a_network_is_told(tree):
    site.SITE.mkdir(parents=True)
    (site.SITE / "index.html").write_text(
        '<script src="https://unpkg.com/x"></script><a href="https://example.org">x</a><img src="gone.png"><a href="index.html#x">'
    )
    assert list(site.broken()) == [
        "index.html fetches https://unpkg.com/x from the network",
        "index.html links to gone.png, which is not there",
    ]


def test_a_notebook_has_the_cells_of_its_page(tree):
    pytest.importorskip("nbformat")
    made = notebook.notebook(page.read(tree / "docs" / "index.md"))
    assert [cell.cell_type for cell in made.cells] == ["markdown", "code", "markdown"]
    assert made.cells[1].source.startswith("open(") and "62" not in made.cells[2].source


def test_the_reference_describes_what_there_is():
    assert "### `backward EXPR` {#backward}" in reference.commands()
    assert reference.api("minitorch.testing").count("\nexpect(what, got, wanted, ") == 1
    drawn = reference.marks()
    assert drawn.count("<svg") == drawn.count("\n") - 2


def test_a_docstring_as_markdown():
    told = reference.markdown("Sum of a * b <here>.\n\nArgs:\n    a, b: the `*` of\n        two.\n\nRaises:\n    ValueError: no.")
    assert told == (
        "Sum of a \\* b &lt;here>.\n\n\n**Args**\n\n- `a, b`: the `*` of\n  two.\n\n\n**Raises**\n\n- `ValueError`: no.\n"
    )


def test_prose_is_spelt_right_and_what_a_cell_prints_is_let_be(tree):
    pytest.importorskip("codespell_lib")
    (tree / "CHANGELOG.md").write_text("")
    path = tree / "docs" / "index.md"
    path.write_text(PAGE.replace("62", "teh"))
    site.spelling([path])
    path.write_text(PAGE.replace("A page", "Teh page"))
    with pytest.raises(site.CannotBuild, match="index.md:1: Teh ==> The"):
        site.spelling([path])


PICTURES = """<!doctype html><meta charset="utf-8"><style>{style}</style>
<div class="md-content md-typeset"><p style="width: 300px"><img id="wide" src="wide.svg" style="max-width: 100%" alt="wide"></p>
<a href="#here"><img id="linked" src="wide.svg" width="20" alt=""></a></div><script src="zoom.js"></script>"""


@pytest.mark.skipif(browser.PROGRAM is None or os.name != "posix", reason="needs Chromium")
def test_a_wide_picture_opens_in_the_whole_window(tmp_path):
    builder = page.ROOT / "docs" / "builder"
    (tmp_path / "wide.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="4000" height="900"><path d="M0 0h9v9"/></svg>')
    (tmp_path / "zoom.js").write_text((builder / "zoom.js").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "page.html").write_text(PICTURES.format(style=(builder / "site.css").read_text(encoding="utf-8")), encoding="utf-8")
    with browser.browser() as open_page:
        open_page.open(tmp_path / "page.html")
        assert open_page.run("[...document.querySelectorAll('.md-content [role=button]')].map(x => x.id)") == ["wide"]
        assert open_page.run("document.querySelector('#wide').clientWidth") == 300
        open_page.click("#wide")
        shown = "document.querySelector('.zoom .sheet img').decode().then(() => document.querySelector('.zoom .sheet img').clientWidth)"
        assert open_page.run(shown) == 3000  # can be read, and moved
        width = open_page.run("document.querySelector('.zoom .sheet').clientWidth")
        for key, expected in (("0", width), ("1", 4000), ("+", 5000), ("-", 4000)):
            open_page.press(key)
            assert abs(open_page.run(shown) - expected) <= 1
        open_page.run("document.querySelector('.zoom .sheet').scrollBy(500, 0)")
        assert open_page.run("document.querySelector('.zoom .sheet').scrollLeft") > 400
        open_page.click(".zoom [data-to=close]")
        assert open_page.run("document.querySelector('dialog').open") is False
        assert open_page.problems == [] and all(address.startswith("file:") for address in open_page.requests)
