"""What happens when a composite function runs, and when its gradient is taken: the execution graph, step by step.

    s = sigmoid(w*x + b),  f = s*s + w

Running it once records a node for every operation. The backward pass then walks those nodes from the newest to the
oldest, and along every edge it multiplies what has arrived by the local derivative. `w` is used twice, so two
contributions arrive at it, as at `s`, and its gradient is their sum: that is why the engine adds and never assigns.

The lesson page (lesson.html, one file, no network) shows the graph after every one of these steps; open it in a browser.

    minitorch run execution-graph --w 0.5 --x 2
    minitorch debug execution-graph        # the same walk, at a prompt
"""

from __future__ import annotations

from dataclasses import dataclass

import minitorch
import viz
from minitorch import Contribution, Stepper, Value
from samples.kit import Run, Settings, option

FORMULA = "s = sigmoid(w × x + b), f = s × s + w"  # also a heading in Markdown, where * has a meaning


@dataclass
class Config(Settings):
    w: float = option(0.5, "the weight")
    x: float = option(2.0, "the input")
    b: float = option(-0.3, "the bias")


def main(config: Config, run: Run) -> None:
    w, x, b = Value(config.w, name="w"), Value(config.x, name="x"), Value(config.b, name="b")
    z = (w * x + b).named("z")
    s = minitorch.sigmoid(z).named("s")
    f = (s * s + w).named("f")
    run.print(f"{FORMULA} = {f.data:.6g} at w = {w.data:g}, x = {x.data:g}, b = {b.data:g}\n")

    # A Stepper is the backward pass taken apart: every step carries one contribution along one edge.
    stepper = Stepper(f)
    rows, notes = [], [f"# {FORMULA}", "Every step carries one contribution along one edge; the seed is ∂f/∂f = 1."]
    while (move := stepper.step()) is not None:
        edge = f"{label(move.node)} → {label(move.input)}"
        arithmetic = f"{show(move.incoming)} × {show(move.local)} = {show(move.contribution)}"
        rows.append((str(move.index + 1), edge, move.rule, arithmetic, show(move.after)))
        notes += [f"## Step {move.index + 1}: {edge}", sentence(move, arithmetic)]
        run.log(step=move.index + 1, edge=edge, contribution=float(move.contribution), total=float(move.after))
    run.table(("step", "edge", "rule", "incoming × local", "arrived so far"), rows, title="the backward pass")
    run.print("\n" + ", ".join(f"∂f/∂{name} = {leaf.grad:.6g}" for name, leaf in (("w", w), ("x", x), ("b", b))))

    # The engine's own backward() does the same walk without stopping: the same bits.
    stepped = [leaf.grad for leaf in (w, x, b)]
    for leaf in (w, x, b):
        leaf.grad = None
    f.backward()
    same = stepped == [leaf.grad for leaf in (w, x, b)]
    run.print("backward() gives " + ("the same numbers, bit for bit" if same else "OTHER NUMBERS"))
    run.save({"w": w.grad, "x": x.grad, "b": b.grad}, "gradients.npz")
    if config.plots:
        run.write("notes.md", "\n\n".join(notes).encode())
        viz.lesson(f, run.path("lesson.html"), notes=run.path("notes.md"))
        viz.draw(f).save(run.path("graph.svg"))


def show(number: object) -> str:
    return f"{number:.4g}" if isinstance(number, (int, float)) else "—"


def label(node: object) -> str:
    """A node by its name, or else by its operation."""
    named = getattr(node, "name", None)
    op = getattr(node, "op", None)
    return str(named or (op.symbol or op.name if op is not None else "?"))


def sentence(move: Contribution, arithmetic: str) -> str:
    """One step in words."""
    text = f"The rule is {move.rule}. Incoming × local derivative: {arithmetic}."
    if move.before is None:
        return text + " It is the first to arrive there."
    return text + f" {show(move.before)} was there already, and the sum is {show(move.after)}."
