import numpy as np
import pytest

from viz.format import content, number, shape_text, summary


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (2.0, "2.0"), (12.0, "12.0"), (0.70710678, "0.7071"), (-0.5, "-0.5"), (1 / 3, "0.3333"), (1234.0, "1234.0"),
        (12345.678, "12346"), (123456.0, "123456.0"), (1e6, "1e+06"), (1.2345e-5, "1.234e-05"), (9999.96, "10000"),
        (0.0, "0.0"), (-0.0, "-0.0"), (float("nan"), "nan"), (float("inf"), "inf"), (float("-inf"), "-inf"),
        (3, "3"), (True, "True"), (np.float32(0.1), "0.1"), (1e300, "1e+300"), (5e-324, "4.941e-324"),
    ],
)  # fmt: skip
def test_numbers_keep_their_significant_digits(x, text):
    assert number(x) == text


def test_the_number_of_digits_can_be_chosen():
    assert [number(np.pi, digits) for digits in (1, 2, 7)] == ["3.0", "3.1", "3.141593"]


def test_a_small_array_shows_its_numbers_in_cells():
    shown = content(np.array([[1.0, -2.0], [0.0, 4.0]]))
    assert shown.shape == "(2, 2)" and shown.kind == "float64"
    assert [[cell.text for cell in row] for row in shown.cells] == [["1.0", "-2.0"], ["0.0", "4.0"]]
    assert [[cell.level for cell in row] for row in shown.cells] == [[0.25, -0.5], [0.0, 1.0]]
    assert shown.bars == ()


def test_an_array_up_to_eight_by_eight_is_a_thumbnail_and_a_larger_one_a_histogram():
    numbers = np.random.default_rng(0)
    small, large = content(numbers.standard_normal((8, 8))), content(numbers.standard_normal((9, 8)))
    assert len(small.cells) == 8 and not small.bars and small.cells[0][0].text == ""
    assert not large.cells and len(large.bars) == 10 and max(large.bars) == 1.0


def test_nan_inf_and_zeros_are_counted_and_left_out_of_the_statistics():
    array = np.array([np.nan, np.inf, 0.0, 3.0, 1.0])
    shown = content(array)
    assert shown.alarm == "NaN 1 · inf 1"
    assert shown.text == "0.0 … 3.0  mean 1.33  sd 1.25  zero 20%"
    assert summary(array) == "NaN 1 · inf 1  0.0 … 3.0  mean 1.33  sd 1.25  zero 20%"
    assert shown.cells[0][0].level is None and shown.cells[0][1].level == 1.0
    assert content(float("nan")).alarm == "NaN" and content(1.0).alarm == ""


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.zeros((0, 3)), "empty"), (np.array([0.0, -2.5, 0.0]), "-2.5 or 0.0  zero 67%"), (np.full((3, 9), 2.0), "all 2.0"), (np.full(3, np.nan), "no finite element"),
        (np.arange(100), "0 … 99"), (np.array([True, False, True]), "2 of 3 true"),
    ],
)  # fmt: skip
def test_summaries_of_unusual_arrays(array, text):
    assert content(array).text == text


def test_huge_numbers_do_not_warn(recwarn):
    content(np.array([1e308, -1e308] * 50))
    assert not recwarn.list


def test_shapes():
    assert [shape_text(shape) for shape in ((), (4,), (3, 4))] == ["()", "(4,)", "(3, 4)"]


def test_one_picture_or_one_kernel_is_a_table_though_it_has_four_axes():
    shown = content(np.array([[[[1.0, -2.0], [0.0, 4.0]]]], np.float32))
    assert [[cell.text for cell in row] for row in shown.cells] == [["1.0", "-2.0"], ["0.0", "4.0"]]
    assert shown.shape == "(1, 1, 2, 2)"
    assert not content(np.ones((2, 1, 2, 2), np.float32) * 2).cells
