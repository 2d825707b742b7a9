"""The exercises of the course: each has an answer that passes, and tells the learner what is missing as it is given."""

from __future__ import annotations

import pytest

from docs.builder.page import DOCS
from repl.check import carry_out

COURSE = DOCS / "course"
NAMES = sorted(path.name for path in (COURSE / "exercises").glob("*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_an_exercise_and_its_answer(name):
    told, raised = carry_out(str(COURSE / "exercises" / name))
    assert raised is None, f"{name} as given stops: {raised}"
    wrong = [one for one in told if not one.right]
    assert wrong and all(one.why and one.error is None for one in wrong)
    answered, raised = carry_out(str(COURSE / "answers" / name))
    assert raised is None and answered
    assert [one for one in answered if not one.right] == []
    assert [one.what for one in answered][: len(told)] == [one.what for one in told] or told[-1].what == "the file"


def test_every_answer_has_its_exercise_and_a_title():
    assert sorted(path.name for path in (COURSE / "answers").glob("*.py")) == NAMES
    for folder in ("exercises", "answers"):
        for path in (COURSE / folder).glob("*.py"):
            assert path.read_text(encoding="utf-8").startswith('"""'), path


def test_every_exercise_stands_in_a_page_of_its_module():
    for name in NAMES:
        pages = COURSE.glob(f"{name.split('-')[0]}-*.md")
        assert any(f"exercises/{name}" in page.read_text(encoding="utf-8") for page in pages), f"no page tells of {name}"
