"""Text: readers, the alphabet, what is cut from it; and the samples that learn to write."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from samples.kit.errors import SampleError
from samples.kit.text import Vocabulary, choose, read_text, sentences, split, streams, windows
from samples.main import main


@given(st.text(min_size=1))
def test_a_vocabulary_writes_what_it_read(text):
    vocabulary = Vocabulary(text)
    assert vocabulary.decode(vocabulary.encode(text)) == text
    again = Vocabulary()
    again.load_state_dict(vocabulary.state_dict())
    assert again.characters == vocabulary.characters and (again.encode(text) == vocabulary.encode(text)).all()


def test_a_character_it_never_saw_is_named():
    with pytest.raises(SampleError, match="never seen 'x', 'y'; it knows 'abc'"):
        Vocabulary("abc\n").encode("axyb")


@pytest.mark.parametrize(("count", "length", "size"), [(1, 4, 21), (3, 4, 50), (4, 100, 50), (5, 1, 11)])
def test_streams_go_through_the_text(count, length, size):
    numbers = np.arange(size)
    pieces = [(x.numpy(), y.numpy()) for x, y in streams(numbers, count, length)]
    read = np.concatenate([x for x, _ in pieces], 1)
    assert read.shape == (count, (size - 1) // count) and (np.diff(read.ravel()) == 1).all() and read[0, 0] == 0
    for x, y in pieces:
        assert (y == x + 1).all() and x.shape[1] <= length


def test_windows_are_pieces_and_what_follows():
    x, y = windows(np.arange(100), np.array([3, 90]), 5)
    assert x.tolist() == [[3, 4, 5, 6, 7], [90, 91, 92, 93, 94]] and (y - x).unique().tolist() == [1]


def test_the_last_tenth_is_for_the_examination():
    train, held_out = split(np.arange(1000), 16)
    assert len(train) == 900 and held_out[0] == 900
    with pytest.raises(SampleError, match="too short for pieces of 16"):
        split(np.arange(160), 16)


def test_choosing():
    minitorch.manual_seed(0)
    scores = minitorch.tensor([0.0, 2.0, 1.0, -1.0])
    assert {choose(scores, 0, 0) for _ in range(5)} == {1}
    drawn = [choose(scores, 1.0, 0) for _ in range(2000)]
    assert np.bincount(drawn, minlength=4) / 2000 == pytest.approx(scores.softmax(0).numpy(), abs=0.04)
    assert {choose(scores, 5.0, 2) for _ in range(100)} == {1, 2}
    cold = [choose(scores, 0.25, 0) for _ in range(500)]
    assert np.mean(np.array(cold) == 1) > 0.95


def test_reading_texts(tmp_path, monkeypatch):
    monkeypatch.delenv("MINITORCH_DATA", raising=False)
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "input.txt").write_text("To be")
    (tmp_path / "text" / "names.txt").write_text("\n".join(f"name{k}" for k in range(50)))
    assert read_text("shakespeare", str(tmp_path)) == "To be"
    (tmp_path / "tinyshakespeare.txt").write_text("or not")
    assert read_text("shakespeare", str(tmp_path)) == "or not"  # under either of its names
    names = read_text("names", str(tmp_path)).split("\n")
    assert sorted(names) == sorted(f"name{k}" for k in range(50)) and names != sorted(names)
    assert read_text("shakespeare", "synthetic") == sentences(200_000)
    own = tmp_path / "own.txt"
    own.write_bytes("Grüße".encode())
    assert read_text(str(own), None) == "Grüße"
    own.write_bytes(b"Gr\xfc\xdfe")
    with pytest.raises(SampleError, match="own.txt is not a text in UTF-8"):
        read_text(str(own), None)
    with pytest.raises(SampleError, match="cannot read .*nowhere"):
        read_text(str(tmp_path / "nowhere"), None)
    with pytest.raises(SampleError, match="--data .* has no text/input.txt"):
        read_text("shakespeare", str(tmp_path / "text" / ".." / "..") + "/")


UNIFORM = np.log(26)  # nats: the loss of one who knows nothing but the alphabet of the generated sentences


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_char_rnn(run, cell, tmp_path, capsys):
    small = ("--data", "synthetic", "--cell", cell, "--epochs", "1", "--hidden", "48", "--characters", "60")
    folder, lines, out = run("char-rnn", *small, plots=cell == "lstm")
    assert lines[-1]["val_loss"] < 0.3 * UNIFORM
    assert (folder / "written.txt").read_text().strip() in out
    asked = ["run", "char-rnn", "--runs", str(tmp_path), "--characters", "40", "--top-k", "3", "--predict", "the dog", "anna"]
    assert main(asked) == 0
    out = capsys.readouterr().out.split("epochs\n")[1]
    assert out.startswith("the dog") and "anna" in out and len(out) == len("the dog") + len("anna") + 2 * 41
    assert main([*asked, "XX"]) == 1 and "never seen 'X'" in capsys.readouterr().err
