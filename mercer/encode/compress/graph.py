"""Tensors of a BERT in; its body as an ONNX graph, in float32 or with weights of 8 bits, out. No torch is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mercer.encode.compress.folder import Tensors
from mercer.encode.extra import need
from mercer.encode.graft import ROOT, Graft, fitting
from mercer.encode.model import Model
from mercer.errors import ModelError

__all__ = ["OBSERVED", "Recipe", "inputs", "write"]

Array = NDArray[Any]
Way = Literal["float", "dynamic", "static", "blocks"]
MICROSOFT = "com.microsoft"
"""Domain of ONNX Runtime's own operators, which do what a layer needs in eight nodes instead of thirty."""
OBSERVED = ("qkv", "out", "up", "down")
"""Matrices of a layer: queries, keys and values in one; after attention; the two of the inner layer."""
BLOCK = 32
"""Numbers that share a scale where weights are quantised in blocks."""
LEVELS = 127


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the matrices of a body are kept and multiplied.

    ``dynamic``: int8 weights, a scale a column; activations get the scale of the numbers at hand. ``static``: theirs
    come from `ranges`. ``blocks``: scales for every 32 numbers of both sides: hardly a loss, half the gain.
    """

    way: Way = "dynamic"
    even: Mapping[str, Array] = field(default_factory=dict)
    """Matrix → what its input is divided by, channel by channel; its weights are multiplied by the same, so that
    single large channels do not coarsen all others (after SmoothQuant, Xiao et al. 2023)."""
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Matrix → lowest and highest number of its input."""
    floating: frozenset[str] = frozenset()
    """Matrices that stay in float32."""


def write(model: Model, tensors: Tensors, path: Path, recipe: Recipe, *, watch: bool = False) -> None:
    """Write the body: ``embedded`` (1, tokens, hidden) in, ``vector`` (1, dimension) out; texts go in one at a time.

    Args:
        model: says the shape, pooling and projection.
        tensors: by BertModel's names, see `tensors_of`.
        path: of the file.
        recipe: see there.
        watch: the inputs of the matrices become outputs too, by the names of `inputs`.

    Raises:
        ModelError: an activation or kind of position that is not known here, or a graft that does not fit.
    """
    config, graft = model.config, fitting(model, tensors)
    known = {"hidden_act": "gelu", "position_embedding_type": "absolute"}
    for name, value in known.items():
        if config.get(name, value) != value:
            raise ModelError(f"{model.folder}: {name} is {config[name]!r}", cure="leave --int8 out")
    graph = _Graph(tensors, recipe, float(config.get("layer_norm_eps", 1e-12)), int(config["num_attention_heads"]))
    states = graph.embeddings()
    for layer in range(int(config["num_hidden_layers"])):
        states = graph.layer(layer, states, graft)
    graph.pooled(states, model)
    graph.save(path, model, watch=watch)


def inputs(layers: int) -> list[str]:
    """Names of all matrices, by layer."""
    return [f"{layer}.{name}" for layer in range(layers) for name in OBSERVED]


class _Graph:
    """Nodes and constants, grown from the input to the output; a method gives the name of what it made."""

    def __init__(self, tensors: Tensors, recipe: Recipe, epsilon: float, heads: int) -> None:
        self._onnx: Any = need("onnx")
        self._tensors, self._recipe, self._epsilon, self._heads = tensors, recipe, epsilon, heads
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._watched: dict[str, str] = {}

    def node(self, kind: str, given: list[str], made: str, *, domain: str = "", **said: Any) -> str:
        self._nodes.append(self._onnx.helper.make_node(kind, given, [made], domain=domain, **said))
        return made

    def constant(self, name: str, values: Array) -> str:
        self._constants[name] = self._onnx.numpy_helper.from_array(np.asarray(values, order="C"), name)
        return name

    def tensor(self, name: str) -> str:
        return self.constant(name, self._tensors[name])

    def embeddings(self) -> str:
        """Word vectors with those of their places, normalised."""
        root = "embeddings."
        places = (
            self._tensors[f"{root}position_embeddings.weight"] + self._tensors[f"{root}token_type_embeddings.weight"][0]
        )
        nothing = self.constant("nothing", np.zeros(1, np.int64))
        tokens = self.node("Shape", ["embedded"], "tokens", start=1, end=2)
        used = self.node("Slice", [self.constant("places", places), nothing, tokens, nothing], "used")
        placed = self.node("Add", ["embedded", used], "placed")
        norm = [self.tensor(f"{root}LayerNorm.{name}") for name in ("weight", "bias")]
        return self.node("LayerNormalization", [placed, *norm], "first", axis=-1, epsilon=self._epsilon)

    def layer(self, number: int, states: str, graft: Graft | None) -> str:
        """One layer: attention and the inner layer, each with a shortcut around it and a normalisation."""
        root, own = f"encoder.layer.{number}.", f"{number}."
        heads = [f"{root}attention.self.{name}" for name in ("query", "key", "value")]
        weight, bias = (
            np.concatenate([self._tensors[f"{head}.{kind}"] for head in heads]) for kind in ("weight", "bias")
        )
        parts = [f"{own}{name}" for name in ("query", "key", "value")]
        joined = self.matrix(f"{own}qkv", states, weight, bias)
        self._nodes.append(self._onnx.helper.make_node("Split", [joined], parts, axis=2, num_outputs=3))
        if graft is not None and graft.kind == "prefix":
            parts[1:] = [self.prefixed(number, part) for part in parts[1:]]
        seen = self.node("MultiHeadAttention", parts, f"{own}seen", domain=MICROSOFT, num_heads=self._heads)
        seen = self.matrix(f"{own}out", seen, self._tensors[f"{root}attention.output.dense.weight"])
        states = self.normalised(f"{root}attention.output.", seen, states)
        inner = self.matrix(f"{own}up", states, self._tensors[f"{root}intermediate.dense.weight"])
        bias_name = self.tensor(f"{root}intermediate.dense.bias")
        inner = self.node("BiasGelu", [inner, bias_name], f"{own}inner", domain=MICROSOFT)
        inner = self.matrix(f"{own}down", inner, self._tensors[f"{root}output.dense.weight"])
        if graft is None or graft.kind != "adapter":
            return self.normalised(f"{root}output.", inner, states)
        bias_name = self.tensor(f"{root}output.dense.bias")
        inner = self.adapted(number, self.node("Add", [inner, bias_name], f"{own}before"))
        return self.normalised(f"{root}output.", inner, states, bias=f"{ROOT}{number}.up.bias")

    def prefixed(self, number: int, part: str) -> str:
        """Keys or values of a text with the learned ones before them; a graft stays in float32 whatever the recipe."""
        own = f"{ROOT}{number}.{part.rpartition('.')[2]}"
        kept = self.constant(own, self._tensors[own][None])
        return self.node("Concat", [kept, part], f"{own}.all", axis=1)

    def adapted(self, number: int, made: str) -> str:
        """What a bottleneck adapter makes of it, without the bias of its last matrix."""
        own = f"{ROOT}{number}."
        down, up = (self.constant(own + name, self._tensors[f"{own}{name}.weight"].T) for name in ("down", "up"))
        narrow = self.node("MatMul", [made, down], f"{own}narrow")
        narrow = self.node("BiasGelu", [narrow, self.tensor(f"{own}down.bias")], f"{own}inner", domain=MICROSOFT)
        return self.node("Add", [made, self.node("MatMul", [narrow, up], f"{own}wide")], f"{own}made")

    def normalised(self, root: str, made: str, shortcut: str, *, bias: str = "") -> str:
        """`bias` is added to what was `made`: that of the matrix before it where none is named."""
        norm = [f"{root}LayerNorm.{name}" for name in ("weight", "bias")]
        names = [self.tensor(name) for name in (*norm, bias or f"{root}dense.bias")]
        given = [made, shortcut, *names]
        return self.node("SkipLayerNormalization", given, f"{root}sum", domain=MICROSOFT, epsilon=self._epsilon)

    def matrix(self, name: str, given: str, weight: NDArray[np.float32], bias: Array | None = None) -> str:
        """``given @ weight.T (+ bias)`` as the recipe says; `weight` is (outputs, inputs) as torch has it."""
        divisor = self._recipe.even.get(name)
        if divisor is not None:
            given = self.node(
                "Mul", [given, self.constant(f"{name}.even", (1 / divisor).astype(np.float32))], f"{name}.in"
            )
            weight = weight * divisor
        self._watched[name] = given
        added = [] if bias is None else [self.constant(f"{name}.bias", bias)]
        way: Way = "float" if name in self._recipe.floating else self._recipe.way
        if way == "float":
            made = self.node("MatMul", [given, self.constant(f"{name}.weight", weight.T)], f"{name}.product")
            return self.node("Add", [made, *added], f"{name}.sum") if added else made
        if way == "blocks":
            return self._blocks(name, given, weight, added)
        return self._columns(name, given, weight, added, self._recipe.ranges.get(name) if way == "static" else None)

    def _columns(
        self, name: str, given: str, weight: NDArray[np.float32], added: list[str], known: tuple[float, float] | None
    ) -> str:
        scale = np.maximum(np.abs(weight).max(axis=1) / LEVELS, np.finfo(np.float32).tiny).astype(np.float32)
        whole = np.rint(weight / scale[:, None]).astype(np.int8).T
        kept, scales = self.constant(f"{name}.weight", whole), self.constant(f"{name}.scale", scale)
        zero = self.constant(f"{name}.zero", np.zeros(len(scale), np.int8))
        if known is None:
            return self.node(
                "DynamicQuantizeMatMul", [given, kept, scales, zero, *added], f"{name}.product", domain=MICROSOFT
            )
        low, high = min(known[0], 0.0), max(known[1], 0.0)
        step = np.float32(max(high - low, 1e-12) / 255)
        point = np.uint8(np.clip(np.rint(-low / step), 0, 255))
        of = [self.constant(f"{name}.step", np.asarray(step)), self.constant(f"{name}.point", np.asarray(point))]
        rounded = self.node("QuantizeLinear", [given, *of], f"{name}.rounded")
        take = [rounded, kept, of[0], scales, of[1], zero, *added]
        return self.node("MatMulIntegerToFloat", take, f"{name}.product", domain=MICROSOFT)

    def _blocks(self, name: str, given: str, weight: NDArray[np.float32], added: list[str]) -> str:
        outputs, wide = weight.shape
        if wide % BLOCK:
            raise ModelError(f"a matrix of {wide} columns is no multiple of {BLOCK}", cure="leave --int8 out")
        cells = weight.reshape(outputs, wide // BLOCK, BLOCK)
        scale = np.maximum(np.abs(cells).max(axis=2) / LEVELS, np.finfo(np.float32).tiny).astype(np.float32)
        whole = (np.rint(cells / scale[:, :, None]) + 128).astype(np.uint8)
        take = [given, self.constant(f"{name}.weight", whole), self.constant(f"{name}.scale", scale)]
        said = {"K": wide, "N": outputs, "bits": 8, "block_size": BLOCK, "accuracy_level": 4}
        return self.node(
            "MatMulNBits", [*take, "", "", *added] if added else take, f"{name}.product", domain=MICROSOFT, **said
        )

    def pooled(self, states: str, model: Model) -> None:
        """The mean over all pieces or the first one, a projection where there is one, length 1."""
        one = self.constant("one", np.ones(1, np.int64))
        if model.pooling == "cls":
            first = self.constant("place", np.asarray(0, np.int64))
            made = self.node("Gather", [states, first], "pooled", axis=1)
        else:
            made = self.node("ReduceMean", [states, one], "pooled", keepdims=0)
        if model.projection is not None:
            turned = self.constant("projection", np.asarray(model.projection, np.float32).T)
            made = self.node("MatMul", [made, turned], "projected")
        self.node("LpNormalization", [made], "vector", axis=-1, p=2)

    def save(self, path: Path, model: Model, *, watch: bool) -> None:
        helper, number = self._onnx.helper, self._onnx.TensorProto.FLOAT
        given = helper.make_tensor_value_info("embedded", number, [1, "tokens", int(model.config["hidden_size"])])
        made = [helper.make_tensor_value_info("vector", number, [1, model.dimension])]
        if watch:
            for name, state in self._watched.items():
                self.node("Identity", [state], name)
                made.append(helper.make_tensor_value_info(name, number, None))
        graph = helper.make_graph(self._nodes, "body", [given], made, list(self._constants.values()))
        opsets = [helper.make_opsetid("", 20), helper.make_opsetid(MICROSOFT, 1)]
        self._onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=10), str(path))
