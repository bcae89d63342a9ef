"""A transformer denoiser cut into its blocks, so that a step of denoising can leave some of them out.

A norm-first layer adds to its tokens what three blocks make of them, one after the other: self-attention, cross-attention to what is
known (noise level and condition), feed-forward. Each becomes a graph of its own, tokens [, memory] → what is added; the head makes tokens
and memory of the denoiser's inputs, the tail makes of the last tokens what is predicted.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tactus_core.engines.onnx_runtime import unchecked_session
from tactus_core.errors import BundleError, SetupError

KINDS = ("self_attention", "cross_attention", "feed_forward")
# As torch names what is in one of a list of layers.
_IN_LAYER = re.compile(r"/layers\.\d+/")

Values = NDArray[np.float32]


class Block(NamedTuple):
    """What is cached: a block of a layer, counted from 0."""

    layer: int
    kind: str

    def __str__(self) -> str:
        return f"{self.layer}.{self.kind}"

    @staticmethod
    def named(name: str) -> "Block":
        """Return the block that `str` gave this name."""
        layer, kind = name.split(".")
        return Block(int(layer), kind)


@dataclass(frozen=True)
class BlockGraphs:
    """A denoiser in pieces, ONNX each; blocks in the order in which they run."""

    head: bytes
    blocks: Mapping[Block, bytes]
    tail: bytes


def cut(onnx: bytes, source: str) -> BlockGraphs:
    """Return the pieces of a denoiser; raises BundleError where it is no norm-first transformer, SetupError without the package `onnx`.

    source: what to call it in errors.
    """
    try:
        import onnx as onnx_format
        from onnx.utils import Extractor
    except ImportError:
        raise SetupError(
            "cutting a denoiser into blocks needs 'onnx', which is not installed: pip install -r requirements/engines.txt"
        ) from None
    model = onnx_format.shape_inference.infer_shapes(onnx_format.load_model_from_string(onnx))
    walk = _Walk(model.graph, source)
    extractor = Extractor(model)

    def piece(inputs: list[str], outputs: list[str]) -> bytes:
        made: bytes = extractor.extract_model(inputs, outputs).SerializeToString()
        return made

    blocks, tokens = {}, walk.first
    for number, (output, after) in enumerate(walk.steps):
        kind = KINDS[number % len(KINDS)]
        blocks[Block(number // len(KINDS), kind)] = piece([tokens, walk.memory] if kind == "cross_attention" else [tokens], [output])
        tokens = after
    inputs, outputs = ([value.name for value in side] for side in (model.graph.input, model.graph.output))
    return BlockGraphs(piece(inputs, [walk.first, walk.memory]), blocks, piece([tokens], outputs))


class _Walk:
    """The way of the tokens through a graph. first: what the first layer gets; steps: (what is added, the sum), block by block."""

    def __init__(self, graph: Any, source: str) -> None:
        self._refusal = BundleError(
            f"{source} is no transformer of norm-first layers with self-attention, cross-attention and feed-forward, as "
            "tactus_models.transformer makes it: it has no blocks that could be left out. Few steps (--sampler ddim --steps 8) are for any "
            "denoiser."
        )
        self._graph, self._made_by = graph, {name: node for node in graph.node for name in node.output}
        norms = [node for node in self._layers() if node.op_type == "LayerNormalization"]
        self.first = self._one(norms[:1]).input[0]
        self.steps = list(self._additions(self.first))
        if not self.steps or len(self.steps) % len(KINDS) or len(norms) != len(self.steps):
            raise self._refusal
        self.memory = self._memory()

    def _layers(self) -> list[Any]:
        return [node for node in self._graph.node if _IN_LAYER.search(node.name)]

    def _one(self, found: list[Any]) -> Any:
        if len(found) != 1:
            raise self._refusal
        return found[0]

    def _additions(self, tokens: str) -> Iterator[tuple[str, str]]:
        while sums := [node for node in self._layers() if node.op_type == "Add" and tokens in node.input]:
            added = self._one(sums)
            yield self._one([name for name in added.input if name != tokens]), added.output[0]
            tokens = added.output[0]

    def _memory(self) -> str:
        """Return what cross-attention attends to: the only thing but the tokens that layers get and that depends on the inputs."""
        alive = {value.name for value in self._graph.input}
        for node in self._graph.node:  # in the order in which they run
            if alive.intersection(node.input):
                alive.update(node.output)
        given = {name for node in self._layers() for name in node.input if name in alive and not self._is_in_layer(name)}
        return self._one(sorted(given - {self.first}))

    def _is_in_layer(self, name: str) -> bool:
        return name in self._made_by and _IN_LAYER.search(self._made_by[name].name) is not None


@dataclass
class Kept:
    """What each block gave last in a plan, (1, T, width) each. total: their sum, once a step needs it."""

    outputs: dict[Block, Values] = field(default_factory=dict)
    total: Values | None = None


class BlockEngine:
    """The pieces of a denoiser, ready to run on the CPU; as an `Engine` it computes all of them."""

    def __init__(self, graphs: BlockGraphs, threads: int = 1) -> None:
        self._head = unchecked_session(graphs.head, threads, "the denoiser's head")
        self._blocks = {block: _ready(onnx, threads, str(block)) for block, onnx in graphs.blocks.items()}
        self._tail = _ready(graphs.tail, threads, "tail")

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks, in the order in which they run."""
        return tuple(self._blocks)

    def run(self, **inputs: NDArray[Any]) -> Values:
        """See `Engine`; inputs: sample, timestep, condition."""
        return self.step(self._blocks, Kept(), **inputs)

    def step(self, due: Collection[Block], kept: Kept, **inputs: NDArray[Any]) -> Values:
        """Return what is predicted where the blocks in `due` are computed, and the others give what they gave last.

        kept: of the same plan, all blocks where `due` lacks one; it is brought up to date.
        """
        tokens, memory = self._head.run(None, inputs)
        if due:
            kept.total = None
            for block, run in self._blocks.items():
                if block in due:
                    kept.outputs[block] = run(tokens, memory)[0]
                tokens = tokens + kept.outputs[block]
            return self._tail(tokens)[0]
        if kept.total is None:  # most steps leave out everything, and a dozen additions are half of what they cost
            kept.total = np.sum(list(kept.outputs.values()), axis=0)
        return self._tail(tokens + kept.total)[0]


def _ready(onnx: bytes, threads: int, name: str) -> Callable[..., list[Values]]:
    session = unchecked_session(onnx, threads, f"the denoiser's {name}")
    names = [value.name for value in session.get_inputs()]

    def run(*values: NDArray[Any]) -> list[Values]:
        return session.run(None, dict(zip(names, values, strict=False)))  # a block that takes no memory leaves it

    return run
