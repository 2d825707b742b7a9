"""Text: readers, the alphabet, what is cut from it; and the samples that learn to write."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from samples import gpt
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


def test_gpt(run, tmp_path, capsys):
    folder, lines, out = run("gpt", "--data", "synthetic", "--characters", "60", plots=True)
    assert lines[-1]["val_loss"] < 0.4 * UNIFORM
    assert (folder / "written.txt").read_text().strip() in out and (folder / "attention.png").exists()
    asked = ["run", "gpt", "--runs", str(tmp_path), "--characters", "40", "--temperature", "0", "--predict", "clara"]
    for _ in range(2):
        assert main(asked) == 0
    first, second = (text.split("\n", 1)[1] for text in capsys.readouterr().out.split("trained in ")[1:])
    assert first == second and first.startswith("clara") and len(first) == len("clara") + 41
    assert main(["run", "gpt", "--quick", "--data", "synthetic", "--width", "50", "--runs", str(tmp_path)]) == 1
    assert "--width 50 cannot be shared by --heads 4" in capsys.readouterr().err


def small_gpt(length=8):
    config = gpt.Config(blocks=2, width=8, heads=2, length=length)
    minitorch.manual_seed(1)
    return config, gpt.GPT(config, vocabulary=5).eval()


def test_no_place_sees_what_comes_later():
    config, model = small_gpt()
    x = minitorch.randint(0, 5, (1, 8))
    changed = x.clone()
    changed[0, 5] = (changed[0, 5] + 1) % 5
    before, after = model(x).detach().numpy()[0], model(changed).detach().numpy()[0]
    assert (before[:5] == after[:5]).all() and (before[5:] != after[5:]).any(1).all()


def test_the_attention_that_is_drawn_is_the_one_that_is_used():
    _, model = small_gpt()
    attention = model.blocks[0].attention
    x = minitorch.randn(2, 6, 8)
    looks = attention.map(x)
    assert looks.sum(-1).detach().numpy() == pytest.approx(1, abs=1e-6)
    told = (looks @ attention.parts(x)[2]).transpose(1, 2).flatten(2)
    np.testing.assert_allclose(attention.out(told).detach().numpy(), attention(x).detach().numpy(), atol=1e-6)


@pytest.mark.parametrize("count", [9, 10, 13, 100])
def test_every_place_is_examined_once_with_half_a_piece_to_look_back_at(count):
    config, model = small_gpt()
    numbers = np.random.default_rng(0).integers(0, 5, count)
    losses = []
    for place in range(count - 1):  # of the target at place + 1
        starts = np.append(np.arange(0, count - 9, 4), count - 9)
        start = next(s for s in starts if s + 8 > place)  # the first piece that holds it
        x, y = windows(numbers, np.array([start]), 8)
        assert place - start >= 4 or start == 0 or start == count - 9
        losses.append(minitorch.nn.functional.cross_entropy(model(x)[0], y[0], reduction="none")[int(place - start)].item())
    assert gpt.examine(model, numbers, config) == pytest.approx(np.mean(losses), rel=1e-5)


def test_the_rate_rises_and_falls():
    config = gpt.Config(epochs=2, batches=100, warmup=10)
    shares = [gpt.share_of_rate(step, config) for step in range(200)]
    assert shares[0] == 0.1 and max(shares) == shares[10] == 1 and shares[9] == 1
    assert all(a > b for a, b in zip(shares[10:], shares[11:])) and shares[-1] == pytest.approx(1 / 30, abs=0.01)
