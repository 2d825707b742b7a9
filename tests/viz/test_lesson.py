"""The lesson page, in a headless Chromium where there is one."""

import os
import re
import sys
from pathlib import Path

import pytest

import viz
from minitorch import Stepper, Value, autograd, tensor
from tests.viz.browser import PROGRAM, browser
from tests.viz.graphs import broadcast, double, mlp, network, readme, twice_double
from tests.viz.test_dot import NAMES, product_of
from viz.format import number

NOTES = """# Why gradients `add up`

The value `a` is used **twice** <b>.

## Step 1: the first use
Remember *this*.

- one
- two

## end
Done.
"""

in_browser = pytest.mark.skipif(PROGRAM is None or os.name != "posix", reason="needs Chromium")


@pytest.fixture(scope="module")
def page():
    with browser() as made:
        yield made


@pytest.fixture(autouse=True)
def quiet(request):
    """No test leaves an error in the console, and none makes the page ask for anything but itself."""
    yield
    if "page" in request.fixturenames:
        page = request.getfixturevalue("page")
        problems, requests = list(page.problems), list(page.requests)
        page.problems.clear()
        page.requests.clear()
        assert problems == []
        assert {url.partition("#")[0].rpartition("/")[2] for url in requests if url != "about:blank"} <= {"lesson.html"}


@pytest.fixture
def write(tmp_path):
    def made(root, **options):
        if "notes" in options:
            (tmp_path / "notes.md").write_text(options["notes"], "utf-8")
            options["notes"] = tmp_path / "notes.md"
        return viz.lesson(root, tmp_path / "lesson.html", variables={}, **options)

    return made


def position(page):
    return page.run("Number(document.getElementById('slider').value)")


TEXTS = "[...document.querySelectorAll('.node .gradient')].map(one => [one.closest('.node').id, one.textContent])"


def texts(page, name):
    return dict(page.run(TEXTS.replace("gradient", name)))


def test_the_micrograd_network_is_under_270_kB(write):
    assert write(mlp()).stat().st_size < 270_000


def test_the_page_may_run_its_own_script_and_nothing_else(write):
    text = write(readme()).read_text("utf-8")
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy.startswith("default-src 'none'; script-src 'sha256-") and "unsafe" not in policy
    assert not re.search(r"(?:src|href)=\"?(?:https?:)?//|@import| style=| on\w+=\"", text)


def test_the_stepper_is_left_where_it_stood(write):
    root = readme()
    stepper = Stepper(root)
    stepper.goto(5)
    flows = [stepper.flow(node) for node in stepper.order]
    write(stepper)
    assert stepper.position == 5 and [stepper.flow(node) for node in stepper.order] == flows
    assert root.grad is None


def test_a_result_that_is_not_one_number_and_a_pass_without_end_are_one_sentence(write):
    with pytest.raises(viz.DrawError, match="one number|scalar|single"):
        write(broadcast().inputs[0])
    x = Value(1.0)
    for _ in range(3000):
        x = x + 1.0
    with pytest.raises(viz.DrawError, match="3,000 steps"):
        write(x)


@in_browser
@pytest.mark.parametrize("make", [twice_double, readme, mlp])
def test_the_gradient_at_every_step_is_the_steppers(page, write, make):
    root = make()
    page.open(write(root))
    stepper, view = Stepper(root), viz.view(root, variables={})
    ids = {node.name: node.id for node in view.nodes if node.kind in ("input", "operation")}
    nodes = {ids[name]: node for node, name in viz.build.engine_names(root, {}).items()}
    press = "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true}))"
    shown = page.run(f"Array.from({{length: {len(stepper) + 1}}}, () => {{ const now = {TEXTS}; {press}; return now; }})")
    for step, found in enumerate(shown):
        flows = {id: stepper.flow(node) for id, node in nodes.items()}
        assert dict(found) == {id: "—" if flow is None else number(flow) for id, flow in flows.items()}, step
        stepper.step()
    for step in (len(stepper) // 2, 0):  # and back
        stepper.goto(step)
        page.run(f"location.hash = '#step={step}'")
        assert page.run("new Promise(done => setTimeout(() => done(true)))")
        shown = texts(page, "gradient")
        assert shown == {id: "—" if stepper.flow(n) is None else number(stepper.flow(n)) for id, n in nodes.items()}


@in_browser
def test_back_and_forth_leaves_the_picture_as_it_was(page, write):
    page.open(write(network()))
    first = page.run("document.getElementById('graph').outerHTML")
    page.press("End")
    last = page.run("document.getElementById('graph').outerHTML")
    page.press("Home")
    assert page.run("document.getElementById('graph').outerHTML") == first != last
    page.press(*["ArrowRight"] * 9)
    assert page.run("document.getElementById('graph').outerHTML") == last


@in_browser
def test_keys_slider_play_and_address(page, write):
    page.open(write(readme()), "#step=12")
    assert position(page) == 12
    page.press("ArrowLeft")
    assert position(page) == 11 and page.run("location.hash") == "#step=11"
    page.press("Home")
    assert position(page) == 0
    page.press("PageDown")
    assert position(page) == 2  # both contributions of the first node
    page.press("PageUp")
    assert position(page) == 0
    page.press(" ")
    assert page.run("document.getElementById('play').textContent") == "pause"
    assert page.run("new Promise(done => setTimeout(() => done(Number(document.getElementById('slider').value)), 1100))") == 1
    page.press(" ")
    assert page.run("document.getElementById('play').textContent") == "play"
    page.run("(s => { s.value = 20; s.dispatchEvent(new Event('input')); })(document.getElementById('slider'))")
    assert position(page) == 20
    page.run("document.getElementById('slider').focus()")
    page.press("ArrowRight")
    assert position(page) == 21
    page.click("#back")
    assert position(page) == 20
    page.press("End", "ArrowRight")
    assert position(page) == page.run("Number(document.getElementById('slider').max)")


@in_browser
def test_a_click_shows_the_ledger_and_what_is_passed_on(page, write):
    page.open(write(twice_double()), "#step=3")
    page.click("#n2 .name")
    text = page.run("document.getElementById('node').innerText")
    assert "b = a + a" in text and "✓ step 1, from c: 1.0 × 1.0 = 1.0" in text and "∂out/∂a = 1" in text
    page.run("document.getElementById('n1').focus()")
    page.press("Enter")
    text = page.run("document.getElementById('node').innerText")
    assert "✓ step 3, from b: 2.0 × 1.0 = 2.0" in text and "○ step 4, from b: not yet" in text
    assert page.run("location.hash") == "#step=3&node=n1"
    page.press("Escape")
    assert page.run("document.getElementById('node').hidden")


@in_browser
def test_search_finds_by_name(page, write):
    page.open(write(readme()))
    page.press("/")
    page.call("Input.insertText", text="relu")
    assert page.run("document.getElementById('hits').textContent") == "4 found"
    page.press("Enter")
    assert "relu" in page.run("document.querySelector('[data-chosen]').textContent")
    page.press("ArrowRight")  # in the search field a key is text
    assert position(page) == 0


@in_browser
def test_the_teachers_notes_stand_at_their_steps(page, write):
    page.open(write(double(), notes=NOTES))
    visible = "[...document.querySelectorAll('.note')].filter(n => !n.hidden).map(n => n.innerText).join('|')"
    assert page.run("document.querySelector('h1').innerHTML") == "Why gradients <code>add up</code>"
    assert "used twice <b>." in page.run(visible)
    page.press("ArrowRight")
    assert page.run(visible).split() == ["the", "first", "use", "Remember", "this.", "one", "two"]
    page.press("End")
    assert page.run(visible) == "Done."


@in_browser
def test_names_of_all_kinds_are_text_in_the_page(page, write):
    names = [name for name in NAMES if name]
    page.open(write(product_of([*names, "</script><script>alert(1)</script>", "{{data}}"])))
    assert page.run("document.scripts.length") == 2
    page.press("End")
    assert any("</script>" in name for name in texts(page, "name").values())


@in_browser
def test_dark_print_and_reduced_motion(page, write):
    path = write(twice_double())
    colour = "getComputedStyle(document.body).backgroundColor"
    for feature, value, expected in [
        ("prefers-color-scheme", "dark", "rgb(15, 23, 42)"),
        ("prefers-color-scheme", "light", "rgb(255, 255, 255)"),
    ]:
        page.call("Emulation.setEmulatedMedia", features=[{"name": feature, "value": value}])
        page.open(path)
        assert page.run(colour) == expected
    page.click("#theme")
    assert page.run(colour) == "rgb(15, 23, 42)"
    page.call("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
    assert page.run(colour) == "rgb(255, 255, 255)"
    assert page.run("getComputedStyle(document.querySelector('nav')).display") == "none"
    page.call("Emulation.setEmulatedMedia", media="", features=[])


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("n.md", "## step 9\nx", "n.md has a note for step 9, but the steps of this pass are 1 to 2"),
        ("n.toml", "steps = 3", r"n.toml: title and intro are texts"),
        ("n.toml", "= 3", "n.toml is not TOML"),
        ("n.txt", "", "notes are a .md or .toml file"),
        ("missing.md", None, "cannot read the notes .*No such file"),
    ],
)
def test_notes_that_do_not_fit_are_one_sentence(tmp_path, name, text, message):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(viz.DrawError, match=message):
        viz.lesson(double(), tmp_path / "x.html", notes=tmp_path / name, variables={})
    assert not (tmp_path / "x.html").exists()


def test_notes_in_toml_say_the_same_as_in_markdown(tmp_path):
    from viz import notes

    (tmp_path / "n.md").write_text("# T\n\nHello `x`\n\n## start\nA\n\n## 2\nB **b**\n")
    (tmp_path / "n.toml").write_text('title = "T"\nintro = "Hello `x`"\n[steps]\nstart = "A"\nend = "B **b**"\n')
    assert notes.read(tmp_path / "n.md", 2) == notes.read(tmp_path / "n.toml", 2)
    assert notes.beside(tmp_path / "n.py") is None
    (tmp_path / "n.notes.md").write_text("")
    assert notes.beside(tmp_path / "n.py") == tmp_path / "n.notes.md"


def test_an_input_of_which_a_function_says_nothing(tmp_path):
    class Silent(autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a * 2.0

        @staticmethod
        def backward(ctx, grad):
            return grad * 2.0, None

    a, b = tensor(1.0, requires_grad=True, name="a"), tensor(1.0, requires_grad=True, name="b")
    page = viz.lesson(Silent.apply(a, b), tmp_path / "x.html", variables={}).read_text("utf-8")
    assert "→ no gradient" in page


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
def test_an_installed_copy_has_the_parts_of_the_page():
    import tomllib

    root = Path(viz.__file__).parent
    patterns = tomllib.loads((root.parent / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]["viz"]
    shipped = {path for pattern in patterns for path in root.glob(pattern)}
    assert shipped >= {path for path in root.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc", ".typed")}
    assert len(shipped) == 3
