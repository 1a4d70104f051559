"""A whole network in plain float64 NumPy: walks the nodes of a graph, whatever made it.

``corners`` is for differences in deep networks, where a step as short as any crosses the corner of
some relu: an empty table is filled with the side of every corner, and later calls stay on it. What
is left is smooth, and its derivative where the table was filled is the network's own.
"""

from __future__ import annotations

import numpy as np

from tests.reference import conv, conv_transpose, losses, norm, ops, pool, recurrent
from tests.reference.attention import attend
from tests.vectors.case import Context

_FORMULAS = {
    "relu": lambda x, f: ops.relu(x),
    "leaky_relu": lambda x, f: ops.leaky_relu(x, f["slope"]),
    "elu": lambda x, f: ops.elu(x, f["alpha"]),
    "sigmoid": lambda x, f: ops.sigmoid(x),
    "tanh": lambda x, f: np.tanh(x),
    "softplus": lambda x, f: ops.softplus(x),
    "silu": lambda x, f: ops.silu(x),
    "gelu": lambda x, f: ops.gelu(x),
    "sign": lambda x, f: ops.sign(x),
    "step": lambda x, f: ops.step(x),
    "linear": lambda x, f: x,
    "softmax": lambda x, f: ops.softmax(x),
}


def _joined(x, node):
    axis = node.fields["axis"]
    return np.concatenate(x, axis=axis if axis < 0 else axis + 1)


def _one_sided(node, x, pinned):
    """A relu or leaky relu on the side of 0 where its inputs were."""
    above = pinned.setdefault("above", x > 0)
    return np.where(above, x, node.fields.get("slope", 0.0) * x)


def _resampled(node, x, pinned):
    """Pools and up-sampling, of any number of axes."""
    name, fields = node.op, node.fields
    if name.startswith("up_sampling"):
        return pool.up_sampling(x, fields["size"], fields["interpolation"])
    if name == "adaptive_avg_pool":
        return pool.adaptive(x, fields["output_size"])
    if name.startswith("global_"):
        return pool.whole(x, name.split("_")[1], pinned)
    known = ("pool_size", "stride", "padding", "count_padding")
    given = {k: fields[k] for k in known if k in fields}
    return pool.pool(x, name[:3], **given, pinned=pinned)


def _convolved(node, x, params):
    b, fields = params.get("b"), node.fields
    if node.op.endswith("transpose"):
        return conv_transpose.conv_transpose(x, params["w"], b, fields)
    if node.op.startswith("depthwise"):
        return conv.conv(x, params["w"], b, {**fields, "groups": x.shape[-1]})
    if node.op.startswith("separable"):
        channels = conv.conv(x, params["depthwise_w"], None, {**fields, "groups": x.shape[-1]})
        y = channels @ params["pointwise_w"].reshape(channels.shape[-1], -1)
        return y if b is None else y + b
    return conv.conv(x, params["w"], b, fields)


def _normalized(node, x, params):
    """Normalizations in training."""
    fields = node.fields
    trained = [node.params.get(name) for name in ("gamma", "beta")]
    given = [use and params[use.parameter] for use in trained]
    if node.op == "layer_norm":
        return norm.layer_norm(x, *given, fields["epsilon"], fields["axes"])
    if node.op == "group_norm":
        return norm.group_norm(x, *given, fields["epsilon"], fields["groups"])
    return norm.batch_norm(x, *given, fields["epsilon"])


def _sequences(node, x, ends, params):
    """Layers that go through sequences; ``ends`` are the lengths of what they read, or None."""
    if node.op in recurrent.CELLS or node.op == "output_rnn":
        return recurrent.layer(node, x[0], params, ends[0], x[1] if len(x) > 1 else None)
    if node.op == "attend":
        return attend(*x, params.get("w"), ends[0], ends[1])
    if node.op == "repeat_vector":
        return np.repeat(x[0][:, None], x[1].shape[1], axis=1)
    counts = np.full(len(x[0]), x[0].shape[1]) if ends[0] is None else ends[0]
    there = (np.arange(x[0].shape[1]) < counts[:, None])[..., None]
    return np.where(there, x[0], 0).sum(axis=1) / counts[:, None]


SEQUENCES = (*recurrent.CELLS, "output_rnn", "attend", "repeat_vector", "mean_steps")


def _node(node, x, params, context, pinned, ends):
    if node.op in SEQUENCES:
        own = {n: params[u.parameter] for n, u in node.params.items()}
        return _sequences(node, x, ends, own)
    if node.op.endswith("_norm"):
        return _normalized(node, x[0], params)
    if "_pool" in node.op or node.op.startswith("up_sampling"):
        return _resampled(node, x[0], pinned)
    if pinned is not None and node.op in ("relu", "leaky_relu"):
        return _one_sided(node, x[0], pinned)
    if node.op in _FORMULAS:
        return _FORMULAS[node.op](x[0], node.fields)
    if node.op == "dense":
        use = node.params["w"]
        w = params[use.parameter]
        b = params[node.params["b"].parameter] if "b" in node.params else None
        return ops.dense(x[0], w.T if use.transposed else w, b)
    if node.op == "embedding":
        return params[node.params["w"].parameter][x[0].astype(int)]
    if "conv" in node.op:
        return _convolved(node, x[0], {n: params[u.parameter] for n, u in node.params.items()})
    if node.op == "dropout":
        here = Context(context.training, context.seed, context.step, node.name)
        return ops.dropout(x[0], node.fields["rate"], here)
    if node.op in ("flatten", "reshape", "split"):
        return x[0].reshape(len(x[0]), *node.shape)
    return {
        "add": lambda: sum(x[1:], x[0]),
        "average": lambda: sum(x[1:], x[0]) / len(x),
        "multiply": lambda: np.prod(np.stack(x), axis=0),
        "concat": lambda: _joined(x, node),
    }[node.op]()


def outputs(graph, params, inputs, context, corners=None, lengths=None):
    """What every node gives, by name; ``inputs`` and ``lengths`` by the names of the inputs."""
    found, nodes = {}, graph.by_name()

    def end(name):
        one = nodes[name].lengths
        return None if one is None else one.of(lengths[one.input])

    for node in graph.nodes:
        if node.op == "input":
            found[node.name] = inputs[node.name.removeprefix("input").removeprefix(".")]
        else:
            pinned = None if corners is None else corners.setdefault(node.name, {})
            read = [found[n] for n in node.inputs]
            ends = [end(n) for n in node.inputs]
            found[node.name] = _node(node, read, params, context, pinned, ends)
    return found


_PLAIN = {"mse": losses.mse, "mae": losses.mae}


def sample_losses(loss, x, target, class_weights=None):
    """The losses of the samples, of one output."""
    x = x.reshape(len(x), -1)
    if loss.type == "cross_entropy":
        return losses.cross_entropy(x, target, loss.fields["label_smoothing"], class_weights)
    if loss.type == "binary_cross_entropy":
        return losses.binary_cross_entropy(
            x, target, loss.fields["label_smoothing"], loss.fields["pos_weight"]
        )
    if target.ndim == 1 and np.issubdtype(target.dtype, np.integer):
        target = np.eye(x.shape[1])[target] if x.shape[1] > 1 else target[:, None].astype(float)
    target = target.reshape(len(target), -1)
    if loss.type == "huber":
        return losses.huber(x, target, loss.fields["delta"])
    return _PLAIN[loss.type](x, target)


def counted_losses(loss, x, target, class_weights=None):
    """The losses of the samples, or of the steps that count where the target is over steps."""
    is_label = np.issubdtype(target.dtype, np.integer)
    if target.ndim != (2 if is_label else 3):
        return sample_losses(loss, x, target, class_weights)
    steps = target.shape[0] * target.shape[1]
    target = target.reshape(steps, *target.shape[2:])
    there = target >= 0 if is_label else ~np.isnan(target).any(axis=1)
    if not there.any():
        return np.zeros(1)
    return sample_losses(loss, x.reshape(steps, -1)[there], target[there], class_weights)


def mean_loss(
    graph, params, inputs, targets, context, class_weights=None, corners=None, lengths=None
):  # fmt: skip
    """The weighted sum of the losses' means, without penalties."""
    found = outputs(graph, params, inputs, context, corners, lengths)
    return sum(
        loss.weight
        * counted_losses(
            loss, found[loss.output], targets[loss.target], (class_weights or {}).get(loss.output)
        ).mean()
        for loss in graph.losses
    )
