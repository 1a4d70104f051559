"""Small networks that between them use what the spec's registries have, to be compiled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nnctl.errors import DataError, SpecError
from nnctl.run.prepare import prepare
from nnctl.spec import Spec, load_spec
from nnctl.spec.registry import model, tags

# Three classes, two classes, numbers: each loss fits at least one of them.
HEADS = (("iris", 3), ("breast_cancer", 1), ("diabetes", 1))
IMAGES = """
layers = [
  { type = "conv2d", filters = 16, kernel_size = 3, padding = "same" },
  { type = "batch_norm" },
  { type = "relu" },
  { type = "conv2d", filters = 16, kernel_size = 3, padding = "same", padding_mode = "reflect" },
  { type = "layer_norm" },
  { type = "conv2d", filters = 16, kernel_size = 2, stride = 2 },
  { type = "group_norm", groups = 2 },
  { type = "depthwise_conv2d", kernel_size = 3, padding = "same" },
  { type = "separable_conv2d", filters = 5, kernel_size = 3, padding = "same" },
  { type = "conv2d_transpose", filters = 4, kernel_size = 2, stride = 2 },
  { type = "max_pool2d" },
  { type = "up_sampling2d" },
  { type = "min_pool2d" },
  { type = "adaptive_avg_pool", output_size = 3 },
  { type = "flatten" },
  { type = "dense", units = 2 },
]
data.source = { generate = "shapes", samples = 64, height = 8, width = 8, classes = 2 }
"""


def compile_spec(spec: Spec) -> float:
    """Compile what training and evaluating a spec needs; return the seconds it took."""
    prepared = prepare(spec)
    try:
        prepared.plan.prepare()
        return float(prepared.plan.compile_seconds)
    finally:
        prepared.plan.close()


def common(flags: Sequence[str]) -> list[Spec]:
    """Return a network with every activation and merge, one for images, and one for each loss and
    optimizer."""
    default = '[optimizer]\ntype = "adam"\n'
    loss = '[loss]\ntype = "cross_entropy"\n'
    texts = [("layers", "iris", _layers(), 3, loss + default)]
    for tag in tags("losses"):
        rest = f'[loss]\ntype = "{tag}"\n{default}'
        texts += [(f"{tag}-{data}", data, "", units, rest) for data, units in HEADS]
    for tag in tags("optimizers"):
        texts.append((tag, "iris", "", 3, f'{loss}[optimizer]\ntype = "{tag}"\n'))
    images = load_spec("images.toml", flags, text=IMAGES + loss + default)
    return [images, *(spec for text in texts for spec in _loaded(*text, flags))]


def _loaded(
    name: str, data: str, layers: str, units: int, rest: str, flags: Sequence[str]
) -> Iterator[Spec]:
    """Yield the spec, unless its loss does not fit its data."""
    head = f'[[layers]]\ntype = "dense"\nunits = {units}\n'
    text = f'[data]\nsource = "{data}"\nnormalize = "standard"\n{layers}\n{head}\n{rest}'
    spec = load_spec(f"{name}.toml", flags, text=text)
    if _fits(spec):
        yield spec


def _fits(spec: Spec) -> bool:
    """Whether the loss can be had of these data, by the kind and the range of their targets."""
    try:
        prepare(spec).plan.close()
    except (DataError, SpecError):
        return False
    return True


def _layers() -> str:
    """Return layers with every activation, fused and alone, every merge, norms, and dropout."""
    lines = []
    for tag in ("batch_norm", "layer_norm", "group_norm"):
        groups = "\ngroups = 2" if tag == "group_norm" else ""
        lines.append('[[layers]]\ntype = "dense"\nunits = 4')
        lines.append(f'[[layers]]\ntype = "{tag}"{groups}')
    for tag in tags("activations"):
        through = ", straight_through = true" if _needs_straight_through(tag) else ""
        table = f'{{ type = "{tag}"{through} }}'
        lines.append(f'[[layers]]\ntype = "dense"\nunits = 4\nactivation = {table}')
        lines.append('[[layers]]\ntype = "dropout"')
        alone = "\nstraight_through = true" if through else ""
        lines.append(f'[[layers]]\ntype = "{tag}"{alone}')
    lines.append('[[layers]]\ntype = "dense"\nunits = 4\nname = "a"')
    for tag in ("add", "multiply", "concat"):
        lines.append('[[layers]]\ntype = "dense"\nunits = 4\nname = "b_' + tag + '"\nfrom = "a"')
        lines.append(f'[[layers]]\ntype = "{tag}"\nname = "{tag}"\nfrom = ["a", "b_{tag}"]')
    lines.append('[[layers]]\ntype = "concat"\nfrom = ["add", "multiply", "concat"]')
    return "\n".join(lines)


def _needs_straight_through(tag: str) -> bool:
    return not getattr(model("activations", tag), "differentiable", True)
