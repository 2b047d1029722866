"""The graph of a classifier, cut where global pooling begins."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, fx, nn
from torch.fx.passes.shape_prop import ShapeProp

from .findings import first_line


class NotTraced(Exception):
    """A network's graph can't be had, or has no global pooling."""


@dataclass(frozen=True)
class Split:
    """The two halves of a graph."""

    features: fx.GraphModule
    head: fx.GraphModule
    layout: Literal["NCHW", "NHWC"]
    pooling: str
    """The step at which the head begins."""


def split_at_pooling(model: nn.Module, example: Tensor) -> Split:
    """The graph of `model` up to its global pooling, and from there on.

    The pooling is the last step that every way from the input to the output goes through, and that makes one cell
    of many. Raises `NotTraced` where there is none.
    """
    traced = _traced(model, example)
    nodes = list(traced.graph.nodes)
    inputs = [node for node in nodes if node.op == "placeholder"]
    output = nodes[-1]
    if len(_used(inputs)) != 1:
        raise NotTraced("it takes more than one input")
    for node in reversed(nodes):
        found = _pooled(node) if not _has_weights(traced, node) else None
        if found is not None and _divides(node, inputs, output):
            source, layout = found
            return Split(
                _first(traced, nodes, source), _second(traced, nodes, node, source), layout,
                str(node.target if node.op == "call_module" else node.name),
            )  # fmt: skip
    flat = [node for node in nodes if _is_flattened(node)]
    why = f"; {flat[-1].name} lays several cells side by side for what follows" if flat else ""
    raise NotTraced(f"it has no global pooling that all of its answer goes through{why}")


def _traced(model: nn.Module, example: Tensor) -> fx.GraphModule:
    """The graph, with the shape of what each step gives."""
    try:
        traced = fx.symbolic_trace(model)
        try:
            with torch.inference_mode():
                ShapeProp(traced).propagate(_larger(example))
        except RuntimeError:  # a network for one size of input
            with torch.inference_mode():
                ShapeProp(traced).propagate(example)
    except Exception as error:  # whatever a network's own code raises when a stand-in goes through it
        raise NotTraced(f"its graph can't be traced ({type(error).__name__}: {first_line(error)})") from error
    return traced


def _larger(example: Tensor) -> Tensor:
    """An input at which the last features are more than one cell, so that pooling them shows."""
    height, width = example.shape[-2:]
    if min(height, width) >= 128:
        return example
    return example.new_zeros(1, 3, 4 * height, 4 * width)


def _has_weights(traced: fx.GraphModule, node: fx.Node) -> bool:
    """Whether a step is a convolution or the like, which may make one cell of a few without pooling them."""
    if node.op == "call_module":
        return any(True for _ in traced.get_submodule(str(node.target)).parameters())
    return any(source.op == "get_attr" for source in node.all_input_nodes)


def _used(inputs: list[fx.Node]) -> list[fx.Node]:
    return [node for node in inputs if node.users]


def _shape(node: Any) -> tuple[int, ...] | None:
    meta: Any = node.meta.get("tensor_meta") if isinstance(node, fx.Node) else None
    return tuple(meta.shape) if isinstance(getattr(meta, "shape", None), torch.Size) else None


def _pooled(node: fx.Node) -> tuple[fx.Node, Literal["NCHW", "NHWC"]] | None:
    """The source and its layout, where a step makes one cell of the many of its source."""
    after = _shape(node)
    for source in node.all_input_nodes:
        before = _shape(source)
        if before is None or after is None or len(before) != 4 or before[0] != after[0]:
            continue
        batch, one, two, three = before
        if two * three > 1 and after in ((batch, one), (batch, one, 1, 1)):
            return source, "NCHW"
        if one * two > 1 and after in ((batch, three), (batch, 1, 1, three)):
            return source, "NHWC"
    return None


def _is_flattened(node: fx.Node) -> bool:
    after = _shape(node)
    before = [_shape(source) for source in node.all_input_nodes]
    return (
        after is not None
        and len(after) == 2
        and any(
            shape is not None
            and len(shape) == 4
            and shape[2] * shape[3] > 1
            and shape[1] * shape[2] * shape[3] == after[1]
            for shape in before
        )
    )


def _divides(node: fx.Node, inputs: list[fx.Node], output: fx.Node) -> bool:
    """Whether every way from the input to the output goes through a step."""
    seen, waiting = {node}, list(inputs)
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        if at is output:
            return False
        seen.add(at)
        # Sizes go their own way to where something is reshaped, and carry nothing of the picture.
        waiting += [user for user in at.users if user is output or _shape(user) is not None]
    return True


def _first(traced: fx.GraphModule, nodes: list[fx.Node], last: fx.Node) -> fx.GraphModule:
    graph = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    needed = _needed(last)
    for node in nodes:
        if node in needed or node.op == "placeholder":
            copies[node] = graph.node_copy(node, lambda source: copies[source])
    graph.output(copies[last])
    return fx.GraphModule(traced, graph)


def _second(traced: fx.GraphModule, nodes: list[fx.Node], first: fx.Node, source: fx.Node) -> fx.GraphModule:
    graph = fx.Graph()
    copies = {source: graph.placeholder("cells")}

    def copied(needed: fx.Node) -> fx.Node:
        if needed not in copies:
            if not _is_batch_size(needed):
                raise NotTraced(f"what follows the pooling needs {needed.name}, from before it")
            copies[needed] = graph.call_method("size", (copies[source], 0))
        return copies[needed]

    wanted = _needed(nodes[-1])
    for node in nodes[nodes.index(first) :]:
        if node in wanted:
            copies[node] = graph.node_copy(node, copied)
    return fx.GraphModule(traced, graph)


def _needed(last: fx.Node) -> set[fx.Node]:
    """A step and all that it takes."""
    found: set[fx.Node] = set()
    waiting = [last]
    while waiting:
        at = waiting.pop()
        if at not in found:
            found.add(at)
            waiting += at.all_input_nodes
    return found


def _is_batch_size(node: fx.Node) -> bool:
    """Whether a step is `x.size(0)` or `x.shape[0]`: every cell counts as a picture behind the pooling."""
    if node.op == "call_method" and node.target == "size":
        return node.args[1:] == (0,)
    if node.op == "call_function" and node.target is operator.getitem and node.args[1] == 0:
        shape = node.args[0]
        return isinstance(shape, fx.Node) and (
            (shape.op == "call_function" and shape.target is getattr and shape.args[1] == "shape")
            or (shape.op == "call_method" and shape.target == "size" and len(shape.args) == 1)
        )
    return False
