"""What-if: the pass as it is, and the passes it could be, each with a stepper of its own; one of them is current."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minitorch import Stepper
from minitorch.core import backward as engine
from minitorch.core.node import Node, ancestors
from minitorch.core.replay import replay
from minitorch.core.wrong import WrongStepper
from repl.graph import LARGE, Graph

MAIN = "main"


@dataclass(eq=False)
class Branch:
    """One pass.

    Attributes:
        name: "main", "what-if 1", or the name of a wrong rule.
        stepper: the pass.
        named: what its nodes are called, as their counterparts in the branch it came from; None in the main branch.
        nodes: all of them, oldest first; None as long as nobody has asked.
        origin: a node that was computed again -> its counterpart in the main branch. Others are shared.
        changes: what was set, in the order in which it was.
        rule: the wrong algorithm that this pass follows, "" for the right one.
        left_at: where its stepper stood when another branch became current.
    """

    name: str
    stepper: Stepper
    named: Callable[[Node], str] | None = None
    nodes: Sequence[Node] | None = None
    origin: dict[Node, Node] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    rule: str = ""
    left_at: int = 0

    def main(self, node: Node) -> Node:
        """The counterpart of a node in the main branch."""
        return self.origin.get(node, node)

    def image(self) -> dict[Node, Node]:
        """A node of the main branch -> its counterpart here, for those that were computed again."""
        return {old: new for new, old in self.origin.items()}

    def gradients(self) -> Mapping[Node, Any]:
        """What arrives at every node by the end of this pass. The pass itself does not move."""
        root = self.stepper.root
        seed = self.stepper.flow(root)
        if self.rule:  # it gives nothing out, so it may go on and come back
            stood = self.stepper.position
            self.stepper.run()
            found = {node: self.stepper.flow(node) for node in ancestors(root)}
            self.stepper.goto(stood)
            return found
        return engine.run(engine.plan([root]), {root: seed})


class Branches:
    """The branches of one pass, the main one first."""

    def __init__(self, stepper: Stepper) -> None:
        self.all = [Branch(MAIN, stepper)]
        self.current = self.all[0]
        self._made = 0

    def fork(self, changes: Mapping[Node, Any], told: str, graph: Graph) -> tuple[Branch, dict[Node, Node]]:
        """A branch from the current one, whose graph is given, with the numbers of some nodes changed; and what was computed
        again.

        Raises:
            ValueError: a new value has another shape.
        """
        here = self.current
        made = replay(here.stepper.root, changes, graph.nodes)
        back = {new: old for old, new in made.items()}
        origin = {**here.origin, **{new: here.main(old) for new, old in back.items()}}
        root, plan = made[here.stepper.root], here.stepper.plan_again(made)
        seed = here.stepper.flow(here.stepper.root)
        stepper = WrongStepper(root, here.rule) if here.rule else Stepper(root, seed, plan=plan)
        if len(made) <= LARGE:
            for new, old in back.items():
                new._label = graph.name(old)  # its name also where no variable holds it: a parameter in a module
        self._made += 1
        branch = Branch(
            f"what-if {self._made}", stepper, lambda node: graph.name(back.get(node, node)), None, origin,
            (*here.changes, told), here.rule,
        )  # fmt: skip
        if plan is not None:  # nothing has dropped out of the graph
            branch.nodes = [*(node for node in graph.nodes if node not in made), *back]
        if len(stepper) == len(here.stepper):
            branch.left_at = here.stepper.position
        self.all.append(branch)
        return branch, made

    def by_rule(self, rule: str, graph: Graph) -> Branch:
        """The current branch's graph, stepped by a wrong algorithm.

        Raises:
            ValueError: there is no such rule, or it would take too long here.
        """
        here, stood = self.current, self.current.stepper.position
        if here.stepper.finished:  # what this pass gave the leaves is not what an earlier one left there
            here.stepper.rstep()
        try:
            stepper = WrongStepper(here.stepper.root, rule)
        finally:
            here.stepper.goto(stood)
        name = rule if here.name == MAIN else f"{here.name}, {rule}"
        self.all = [branch for branch in self.all if branch.name != name]
        branch = Branch(name, stepper, graph.name, graph.nodes, here.origin, here.changes, rule)
        self.all.append(branch)
        return branch

    def find(self, name: str) -> Branch | None:
        """The branch of a name; "1" is short for "what-if 1"."""
        return next((branch for branch in self.all if name in (branch.name, branch.name.removeprefix("what-if "))), None)

    def switch(self, branch: Branch) -> None:
        """Make a branch current. The leaves have the .grad that the current branch gave them, and no other's."""
        here = self.current
        if branch is here:
            return
        here.left_at = here.stepper.position
        if here.stepper.finished:
            here.stepper.rstep()
        self.current = branch
        branch.stepper.goto(branch.left_at)

    def kept(self) -> tuple[list[Branch], Branch]:
        """The branches as they are, for `undo`."""
        return list(self.all), self.current

    def put_back(self, kept: tuple[list[Branch], Branch]) -> None:
        """Put back what `kept` gave."""
        self.switch(kept[1])
        self.all = list(kept[0])

    def close(self) -> None:
        """Back to the main branch, before the pass is left; the others gave out nothing that stays."""
        if self.current is not self.all[0]:
            self.switch(self.all[0])
        del self.all[1:]


def left_the_graph(branch: Branch, made: Mapping[Node, Node]) -> list[Node]:
    """The leaves that share their numbers with a node that was computed again (they were detached from it): they keep
    the old ones."""
    arrays = [old.raw for old in made if isinstance(old.raw, np.ndarray)]
    kept = []
    for node in (branch.nodes or ancestors(branch.stepper.root)) if arrays else ():
        if node.is_leaf and node not in branch.origin and isinstance(node.raw, np.ndarray):
            if any(np.may_share_memory(node.raw, array) for array in arrays):
                kept.append(node)
    return kept
