"""What the samples reach, in the README's table, from docs/samples.md: `python -m docs results` writes it."""

from __future__ import annotations

import re

from docs.builder.page import DOCS, ROOT
from minitorch.core.files import write_whole

README = ROOT / "README.md"
_ROW = re.compile(r"^\| `([\w-]+)` \| ([^|]*) \|(?: [^|]* \|)?$", re.MULTILINE)


def measured() -> dict[str, str]:
    """For each sample that was run to its end, the metrics it reached and the seconds of the processor that it took (of the
    clock, where those are not known)."""
    found: dict[str, str] = {}
    for line in (DOCS / "samples.md").read_text(encoding="utf-8").split("\n"):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if re.fullmatch(r"`[\w-]+`", cells[0]) and len(cells) >= 6:
            name, metrics, _, reached, clock, processor = cells[:6]
            seconds = clock if processor == "-" else processor
            values = zip(metrics.split(", "), reached.split(", "))
            told = ", ".join(f"{metric} {value}" for metric, value in values if value != "-")
            found.setdefault(name.strip("`"), ", ".join(filter(None, [told, _duration(float(seconds.replace(",", "")))])))
    return found


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def filled(text: str) -> str:
    """The README with what was measured in the third column of its table of samples."""
    known = measured()
    return _ROW.sub(lambda row: f"| `{row[1]}` | {row[2]} | {known.get(row[1], '')} |", text)


def write() -> None:
    """Bring the table in the README up to date."""
    text = filled(README.read_text(encoding="utf-8"))
    write_whole(README, text.encode())
