"""Modules: parts and their names, modes, state dicts, scopes, hooks, and what they say when something is wrong."""

from __future__ import annotations

import copy
import threading

import numpy as np
import pytest

import minitorch
from minitorch import nn
from minitorch.core.modes import scope, state


class Block(nn.Module):
    def __init__(self, width=3):
        super().__init__()
        self.attn = nn.Linear(width, width)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(self.attn(x)) + x


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.ModuleList([Block(), Block()])
        self.head = nn.Linear(3, 2)
        self.scale = nn.Parameter(minitorch.ones(1))
        self.register_buffer("mean", minitorch.zeros(3))
        self.register_buffer("cache", minitorch.zeros(1), persistent=False)

    def forward(self, x):
        x = x - self.mean
        for block in self.encoder:
            x = block(x)
        return self.head(x) * self.scale


NAMES = [
    "scale", "encoder.0.attn.weight", "encoder.0.attn.bias", "encoder.1.attn.weight", "encoder.1.attn.bias",
    "head.weight", "head.bias",
]  # fmt: skip


# Parts


def test_parameters_modules_and_buffers_are_named_by_path():
    model = Model()
    assert [n for n, _ in model.named_parameters()] == NAMES
    assert [n for n, _ in model.named_parameters(recurse=False)] == ["scale"]
    assert [n for n, _ in model.named_parameters("net")][0] == "net.scale"
    assert [n for n, _ in model.named_buffers()] == ["mean", "cache"]
    assert [n for n, _ in model.named_modules()][:4] == ["", "encoder", "encoder.0", "encoder.0.attn"]
    assert [n for n, _ in model.named_children()] == ["encoder", "head"]
    assert len(list(model.modules())) == 9 and len(list(model.children())) == 2
    assert model.get_submodule("encoder.1.attn") is model.encoder[1].attn
    assert model.get_parameter("head.bias") is model.head.bias
    assert model.get_buffer("mean") is model.mean
    with pytest.raises(AttributeError, match="'mean' is a Tensor, not a parameter"):
        model.get_parameter("mean")
    with pytest.raises(AttributeError, match="Did you mean 'attn'"):
        model.get_submodule("encoder.0.atn")


def test_a_shared_part_counts_once_and_is_saved_twice():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight = model[0].weight
    assert [n for n, _ in model.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    assert len(list(model.named_parameters(remove_duplicate=False))) == 4
    assert len(model.state_dict()) == 4
    twice = nn.Sequential(model[0], model[0])
    assert [n for n, _ in twice.named_modules()] == ["", "0"]
    assert len(list(twice.children())) == 1


def test_an_attribute_changes_its_kind():
    model = nn.Module()
    model.part = 1
    model.part = nn.Linear(1, 1)
    assert dict(model.named_children()) == {"part": model.part}
    model.part = nn.Parameter(minitorch.ones(1))
    assert not list(model.children()) and [n for n, _ in model.named_parameters()] == ["part"]
    model.part = None
    assert model.part is None and not list(model.parameters())
    del model.part
    assert not hasattr(model, "part")


def test_wrong_assignments_say_what_is_meant():
    model = Model()
    with pytest.raises(TypeError, match="parameter 'scale'; wrap it in nn.Parameter"):
        model.scale = minitorch.ones(1)
    with pytest.raises(TypeError, match="module 'head'"):
        model.head = 3
    with pytest.raises(TypeError, match="buffer 'mean'"):
        model.mean = 3
    with pytest.raises(TypeError, match="wrap it: nn.Parameter"):
        model.register_parameter("w", minitorch.ones(1))
    with pytest.raises(KeyError, match="already has an attribute 'forward'"):
        model.register_module("forward", nn.ReLU())
    with pytest.raises(KeyError, match="without dots"):
        model.register_module("a.b", nn.ReLU())
    with pytest.raises(ValueError, match="computed by"):
        computed = nn.Parameter(minitorch.ones(1))
        computed.op = (model.scale * 2).op
        model.register_parameter("w", computed)


def test_a_misspelt_attribute_names_the_nearest():
    with pytest.raises(AttributeError, match="'Linear' object has no attribute 'wieght'. Did you mean 'weight'"):
        nn.Linear(2, 2).wieght  # noqa: B018


def test_a_property_that_fails_says_its_own_error():
    class Broken(nn.Module):
        @property
        def width(self):
            return self.missing_part

    with pytest.raises(AttributeError, match="missing_part"):
        Broken().width  # noqa: B018


def test_forgetting_super_init_is_said():
    class Forgetful(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(1, 1)

    with pytest.raises(AttributeError, match=r"Forgetful.__init__ has to call super\(\).__init__\(\)"):
        Forgetful()


def test_a_module_without_forward_says_so():
    class Unfinished(nn.Module):
        def foward(self, x):
            return x

    with pytest.raises(NotImplementedError, match=r"Unfinished needs a method forward\(self, ...\)"):
        Unfinished()(1)


def test_modes_and_gradients_reach_all_parts():
    model = Model()
    model.eval()
    assert not any(m.training for m in model.modules())
    model.train()
    assert all(m.training for m in model.modules())
    model(minitorch.ones(2, 3)).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    model.zero_grad(set_to_none=False)
    assert all((p.grad.numpy() == 0).all() for p in model.parameters())
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())
    model.requires_grad_(False)
    assert model(minitorch.ones(2, 3)).requires_grad is False


def test_apply_visits_the_inside_first():
    seen = []
    nn.Sequential(nn.Linear(1, 1), nn.ReLU()).apply(lambda m: seen.append(type(m).__name__))
    assert seen == ["Linear", "ReLU", "Sequential"]


def test_dtype_changes_and_keeps_gradients():
    model = nn.Linear(2, 2)
    model.register_buffer("count", minitorch.tensor([3]))
    model(minitorch.ones(1, 2)).sum().backward()
    weight = model.weight
    assert model.double() is model
    assert model.weight is weight and weight.dtype == np.float64 and weight.grad.dtype == np.float64
    assert model.count.dtype == np.int64
    assert model.to(minitorch.ones(1)).weight.dtype == np.float32
    assert model.half().weight.dtype == np.float16
    with pytest.raises(TypeError, match="cannot become int64"):
        model.to(minitorch.int64)
    with pytest.raises(RuntimeError, match="no device 'nowhere'"):
        model.to("nowhere")


def test_reprs_read_as_pytorchs():
    assert repr(nn.Linear(2, 3)) == "Linear(in_features=2, out_features=3, bias=True)"
    assert repr(nn.Sequential(nn.Linear(2, 3, bias=False), nn.ReLU())) == (
        "Sequential(\n  (0): Linear(in_features=2, out_features=3, bias=False)\n  (1): ReLU()\n)"
    )
    assert "(encoder): ModuleList(\n    (0-1): 2 x Block(\n      (attn): Linear" in repr(Model())
    assert repr(nn.ParameterList([minitorch.ones(2)])).startswith("ParameterList(\n  (0): Parameter containing")
    assert repr(nn.Parameter(minitorch.ones(1))).startswith("Parameter containing:\ntensor([1.]")


def test_a_copy_of_a_model_is_its_own():
    model = Model()
    twin = copy.deepcopy(model)
    with minitorch.no_grad():
        twin.scale += 1
    assert model.scale.item() == 1 and twin.scale.item() == 2
    assert twin(minitorch.ones(1, 3)).inputs[0].scope == "head"
    x = minitorch.ones(1, 3)
    both = model(x) + twin(x)
    assert len([n for n in minitorch.core.node.ancestors(both) if not n.op and n is not x]) == 2 * 8
    both.sum().backward()
    assert model.scale.grad is not None and twin.scale.grad is not None


# Containers


def test_sequential_slices_and_edits():
    layers = [nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2)]
    model = nn.Sequential(*layers)
    assert isinstance(model[:2], nn.Sequential) and list(model[:2]) == layers[:2]
    assert model[-1] is layers[2] and len(model) == 3
    model[1] = nn.Tanh()
    assert isinstance(model[1], nn.Tanh)
    model.append(nn.ReLU()).insert(0, nn.Flatten())
    assert [type(m).__name__ for m in model] == ["Flatten", "Linear", "Tanh", "Linear", "ReLU"]
    del model[0]
    assert [n for n, _ in model.named_children()] == ["0", "1", "2", "3"]
    assert isinstance(model.pop(), nn.ReLU)
    assert len(model + nn.Sequential(nn.ReLU())) == 4
    with pytest.raises(IndexError, match="no module 5 among 3"):
        model[5]
    named = nn.Sequential({"first": nn.Linear(2, 3), "act": nn.ReLU()})
    assert [n for n, _ in named.named_parameters()] == ["first.weight", "first.bias"]
    assert [n for n, _ in named[:1].named_children()] == ["first"]


def test_module_dict_and_parameter_containers():
    parts = nn.ModuleDict({"a": nn.ReLU(), "b": nn.Tanh()})
    parts["c"] = nn.Linear(1, 1)
    assert list(parts) == ["a", "b", "c"] and "a" in parts and len(parts) == 3
    assert isinstance(parts.pop("a"), nn.ReLU) and list(parts.keys()) == ["b", "c"]
    p = nn.ParameterList([minitorch.ones(2), nn.Parameter(minitorch.zeros(1))])
    p.append(minitorch.ones(3))
    assert [n for n, _ in p.named_parameters()] == ["0", "1", "2"] and len(p[1:]) == 2
    d = nn.ParameterDict({"w": minitorch.ones(2)})
    assert isinstance(d["w"], nn.Parameter) and dict(d.items())["w"] is d["w"]
    listed = nn.ModuleList(nn.Linear(i + 1, 1) for i in range(3))
    listed += [nn.ReLU()]
    listed.insert(1, nn.Tanh())
    assert [type(m).__name__ for m in listed] == ["Linear", "Tanh", "Linear", "Linear", "ReLU"]


# State dicts


def test_state_dict_holds_parameters_and_persistent_buffers():
    model = Model()
    assert list(model.state_dict()) == ["scale", "mean", *NAMES[1:]]
    assert not any(t.requires_grad for t in model.state_dict().values())
    assert model.state_dict(keep_vars=True)["scale"] is model.scale
    assert list(nn.ReLU().state_dict(prefix="x.")) == []


def test_loading_copies_numbers_in_place():
    a, b = Model(), Model()
    weight = b.head.weight
    assert repr(b.load_state_dict(a.state_dict())) == "<All keys matched successfully>"
    assert b.head.weight is weight
    np.testing.assert_array_equal(weight.detach().numpy(), a.head.weight.detach().numpy())
    with minitorch.no_grad():
        b.head.weight += 1
    assert not np.array_equal(b.head.weight.detach().numpy(), a.head.weight.detach().numpy())
    b.load_state_dict({k: v.numpy().astype("float64") for k, v in a.state_dict().items()})
    assert b.head.weight.dtype == np.float32


def test_everything_that_does_not_fit_is_listed_at_once_and_nothing_loaded():
    model = Model()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    wrong = {k: v + 1 for k, v in before.items()}
    wrong["head.weight"], wrong["head.bias"] = minitorch.ones(7, 3), minitorch.ones(7)
    del wrong["scale"]
    wrong["tail"] = minitorch.ones(1)
    with pytest.raises(RuntimeError) as error:
        model.load_state_dict(wrong)
    text = str(error.value)
    assert "shape of head.weight is (2, 3) in the module and (7, 3) in the state dict" in text
    assert "shape of head.bias" in text and "missing: scale" in text and "unexpected: tail" in text
    for k, v in model.state_dict().items():
        np.testing.assert_array_equal(v.numpy(), before[k].numpy())
    del wrong["head.weight"], wrong["head.bias"]
    missing, unexpected = model.load_state_dict(wrong, strict=False)
    assert missing == ["scale", "head.weight", "head.bias"] and unexpected == ["tail"]
    with pytest.raises(TypeError, match="takes a dict"):
        model.load_state_dict([1])


def test_assigning_takes_the_tensors_themselves():
    model = nn.Linear(2, 1)
    model.load_state_dict({"weight": minitorch.ones(1, 2, dtype=minitorch.float64), "bias": np.zeros(1)}, assign=True)
    assert model.weight.dtype == np.float64 and isinstance(model.bias, nn.Parameter) and model.bias.requires_grad


def test_weights_of_a_pytorch_model_load_by_name():
    torch = pytest.importorskip("torch")
    theirs = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2))
    ours = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2))
    ours.load_state_dict(theirs.state_dict())
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("f")
    np.testing.assert_allclose(
        ours(minitorch.tensor(x)).detach().numpy(), theirs(torch.tensor(x)).detach().numpy(), rtol=1e-5, atol=1e-6
    )
    assert repr(ours) == repr(theirs)


# Scopes


def test_every_node_knows_its_module():
    out = Model()(minitorch.ones(1, 3))
    seen = [(n.op.name, n.scope) for n in minitorch.core.node.ancestors(out) if n.op]
    assert seen == [
        ("linear", "encoder.0.attn"), ("relu", "encoder.0.act"), ("add", "encoder.0"),
        ("linear", "encoder.1.attn"), ("relu", "encoder.1.act"), ("add", "encoder.1"),
        ("linear", "head"), ("mul", ""),
    ]  # fmt: skip
    assert state.scope == "" and state.module_paths is None and state.plain


def test_scopes_follow_changes_to_the_model():
    model = nn.Sequential(nn.Linear(2, 2))
    x = minitorch.ones(1, 2)
    assert model(x).scope == "0"
    model.insert(0, nn.Linear(2, 2))
    assert [n.scope for n in minitorch.core.node.ancestors(model(x)) if n.op] == ["0", "1"]
    wider = nn.Sequential(nn.Sequential(model))
    assert wider(x).scope == "0.0.1"
    with scope("train"):
        assert model(x).scope == "train.1"
        assert minitorch.ones(1, requires_grad=True).mul(2).scope == "train"


def test_a_module_the_outermost_does_not_know_is_its_callers():
    class Hidden(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(2, 2))
            self.kept = [nn.Linear(2, 2)]

        def forward(self, x):
            return self.kept[0](self.body(x))

    assert nn.Sequential(Hidden())(minitorch.ones(1, 2)).scope == "0"


def test_scopes_end_with_an_error_and_belong_to_a_thread():
    class Failing(nn.Module):
        def forward(self, x):
            raise ValueError("no")

    model = nn.Sequential(nn.Linear(2, 2), Failing())
    with pytest.raises(ValueError):
        model(minitorch.ones(1, 2))
    assert state.scope == "" and state.module_paths is None

    scopes = []

    class Looks(nn.Module):
        def forward(self, x):
            thread = threading.Thread(target=lambda: scopes.append(state.scope))
            thread.start()
            thread.join()
            return x

    nn.Sequential(Looks())(minitorch.ones(1))
    assert scopes == [""]


# Hooks


def test_forward_hooks_see_and_replace():
    layer, calls = nn.Linear(2, 2), []
    x = minitorch.ones(1, 2)
    plain = layer(x).detach().numpy()
    a = layer.register_forward_pre_hook(lambda m, args: (args[0] * 0,))
    b = layer.register_forward_hook(lambda m, args, out: calls.append(args[0].sum().item()) or out + 1)
    np.testing.assert_allclose(layer(x).detach().numpy(), layer.bias.detach().numpy()[None] + 1, rtol=1e-6)
    assert calls == [0.0]
    a.remove(), b.remove()
    np.testing.assert_array_equal(layer(x).detach().numpy(), plain)


def test_hooks_with_kwargs_order_and_errors():
    class Scaled(nn.Module):
        def forward(self, x, by=1):
            if by is None:
                raise ValueError("no factor")
            return x * by

    module, order = Scaled(), []
    with module.register_forward_pre_hook(lambda m, a, k: (a, {"by": 3}), with_kwargs=True):
        assert module(minitorch.ones(1), by=2).item() == 3
    assert module(minitorch.ones(1), by=2).item() == 2
    module.register_forward_hook(lambda m, a, out: order.append("second"))
    module.register_forward_hook(lambda m, a, out: order.append("first"), prepend=True)
    module.register_forward_hook(lambda m, a, k, out: order.append((k, out)), with_kwargs=True, always_call=True)
    with pytest.raises(ValueError):
        module(minitorch.ones(1), by=None)
    assert order == [({"by": None}, None)]
    module(minitorch.ones(1))
    assert order[1:3] == ["first", "second"]


def test_backward_hooks_get_pytorchs_gradients():
    torch = pytest.importorskip("torch")

    def run(library):
        class Two(library.nn.Module):
            def forward(self, a, n, b):
                return a * b * n, a + b

        module, seen = Two(), []
        module.register_full_backward_pre_hook(lambda m, out: seen.append(out) or tuple(g * 2 for g in out))
        module.register_full_backward_hook(lambda m, into, out: seen.extend([into, out]) or (into[0] * 10, None, into[2]))
        a, b = (library.tensor([x], requires_grad=True) for x in (2.0, 3.0))
        p, q = module(a * 1, 4, b)
        (p * 5 + q + a).sum().backward()
        shown = [[None if g is None else g.tolist() for g in grads] for grads in seen]
        return shown, a.grad.tolist(), b.grad.tolist()

    assert run(minitorch) == run(torch)


def test_backward_hook_of_a_first_layer():
    layer, seen = nn.Linear(2, 1), []
    layer.register_full_backward_hook(lambda m, into, out: seen.append((into, out[0].tolist())))
    layer(minitorch.ones(1, 2)).sum().backward()
    assert seen == [((None,), [[1.0]])]
    assert layer.weight.grad.tolist() == [[1.0, 1.0]]


# Layers


def test_linear_starts_as_pytorchs():
    minitorch.manual_seed(0)
    layer = nn.Linear(400, 300)
    for p in (layer.weight, layer.bias):
        assert np.abs(p.detach().numpy()).max() <= 1 / 20
        assert p.detach().numpy().std() == pytest.approx(1 / 20 / np.sqrt(3), rel=0.1)
    assert nn.Linear(2, 3, bias=False).bias is None
    assert nn.Linear(2, 3, dtype=minitorch.float64).weight.dtype == np.float64


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4)])
def test_linear_equals_pytorch(shape, bias):
    torch = pytest.importorskip("torch")
    theirs = torch.nn.Linear(4, 5, bias=bias, dtype=torch.float64)
    ours = nn.Linear(4, 5, bias=bias, dtype=minitorch.float64)
    ours.load_state_dict(theirs.state_dict())
    x = np.random.default_rng(0).normal(size=shape)
    a, b = minitorch.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    (ours(a) ** 2).sum().backward()
    (theirs(b) ** 2).sum().backward()
    np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-10)
    for p, q in zip(ours.parameters(), theirs.parameters()):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-10)


def test_linear_has_second_derivatives():
    layer = nn.Linear(3, 2, dtype=minitorch.float64)
    x = minitorch.tensor(np.random.default_rng(0).normal(size=(4, 3)), requires_grad=True)
    minitorch.autograd.gradcheck(lambda x, w, b: nn.functional.linear(x, w, b).tanh(), [x, layer.weight, layer.bias])
    (first,) = minitorch.grad(layer(x).tanh().sum(), [x], create_graph=True)
    (first**2).sum().backward()
    assert layer.weight.grad is not None


def test_linear_says_which_shapes_do_not_fit():
    with pytest.raises(ValueError, match=r"input of shape \(2, 3\), weight of \(5, 4\)"):
        nn.Linear(4, 5)(minitorch.ones(2, 3))


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_each_bias_of_a_recurrent_layer_has_a_gradient_of_its_own(kind):
    """The two receive the same; added up over two passes, and clipped, each once."""
    layer = getattr(nn, kind)(3, 4)
    x = minitorch.randn(5, 2, 3)

    def backward():
        layer(x)[0].sum().backward()
        return [p.grad.numpy().copy() for p in layer.parameters()]

    once = backward()
    for one, two in zip(once, backward()):
        np.testing.assert_allclose(two, 2 * one, rtol=1e-5)
    norm = nn.utils.clip_grad_norm_(layer.parameters(), 0.1).item()
    for one, p in zip(once, layer.parameters()):
        np.testing.assert_allclose(p.grad.numpy(), 2 * one * 0.1 / norm, rtol=1e-4)


def test_a_recurrent_weight_of_another_width_is_an_error_and_no_features_are_none():
    layer = nn.LSTM(3, 4)
    layer.weight_hh_l0 = nn.Parameter(minitorch.ones(16, 8))
    with pytest.raises(ValueError, match="lstm cannot take"):
        layer(minitorch.ones(5, 2, 3))
    nothing = nn.LSTM(0, 4)
    out, _ = nothing(minitorch.ones(5, 2, 0))
    out.sum().backward()
    assert out.shape == (5, 2, 4)
    assert nothing.weight_ih_l0.grad.shape == (16, 0)
