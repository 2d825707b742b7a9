"""What `minitorch draw` writes: a picture, one for every step, a lesson, a worksheet with its key, or an animation."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minitorch.core.node import Node
from minitorch.core.stepper import Stepper
from viz.build import view
from viz.drawing import stepper_of, styled, theme_named
from viz.errors import DrawError
from viz.extent import Extent
from viz.frames import Frames
from viz.picture import Picture
from viz.user_code import Found


def write(found: Found, output: Path, args: argparse.Namespace, notes: Path | None) -> Iterator[str]:
    """Write what the arguments ask for; yields the lines to tell the user."""
    extent = Extent(
        args.depth, tuple(args.expand), tuple(args.collapse), True, args.around, args.hops,
        tuple(args.path) if args.path else None, args.ancestors,
    )  # fmt: skip
    options: dict[str, Any] = {"variables": found.variables, "digits": args.digits, "limit": args.limit, "extent": extent}
    suffix = output.suffix.lower()
    if suffix == ".html":
        from viz.lessons import lesson

        stepper = stepper_of(found.root)
        lesson(stepper, output, notes=notes, direction=args.direction, **options)
        yield f"wrote the lesson of {found.what}: {len(stepper)} step{'s' * (len(stepper) != 1)} in {output}"
    elif suffix == ".gif":
        from viz.animation import animate

        count = animate(stepper_of(found.root), output, direction=args.direction, theme=theme_named(args.theme), **options)
        yield f"animated {found.what}: {count} pictures in {output}"
    elif args.worksheet is not None:
        from viz.worksheets import worksheet

        sheet, key = worksheet(found.root, [word.strip() for word in args.worksheet.split(",")], **options)
        beside = output.with_suffix(f".key{output.suffix}")
        _picture(sheet, args).save(output)
        _picture(key, args).save(beside)
        yield f"wrote the worksheet of {found.what} in {output}, its answer key in {beside}"
    elif args.steps:
        yield from _steps(found, output, args, options)
    else:
        made = view(found.root if args.at is None else paused(found.root, args.at), **options)
        picture = _picture(made, args)
        picture.save(output)
        count = len(picture.view.nodes)
        yield f"drew {found.what}: {count} box{'es' * (count != 1)} in {output}"
        yield from picture.view.notes


def _steps(found: Found, output: Path, args: argparse.Namespace, options: dict[str, Any]) -> Iterator[str]:
    """A picture for every step, all laid out alike."""
    frames = Frames(stepper_of(found.root), **options)
    pictures = list(frames.pictures(args.direction))
    names = [output.with_name(f"{output.stem}-{step:03}{output.suffix}") for step in range(len(pictures))]
    for name, (one, placed) in zip(names, pictures):
        picture = _picture(one, args)
        picture.placed = placed if args.style == "boxes" else None
        picture.save(name)
    yield f"drew {found.what}: {len(names)} pictures, {names[0]} to {names[-1]}"


def _picture(view: Any, args: argparse.Namespace) -> Picture:
    return Picture(styled(view, args.style), direction=args.direction, theme=theme_named(args.theme))


def paused(root: Node, position: int) -> Stepper:
    """The pass of `root` at a position, counted from the end when negative. Raises DrawError outside the pass."""
    stepper = stepper_of(root)
    at = position + len(stepper) + 1 if position < 0 else position
    if not 0 <= at <= len(stepper):
        raise DrawError(f"--at {position} is outside this pass, whose steps are 0 to {len(stepper)}")
    stepper.goto(at)
    return stepper
