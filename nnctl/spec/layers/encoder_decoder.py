"""From a sequence to a sequence of another length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from nnctl.spec.base import PREVIOUS, Expect, Finding, LayerModel, Part, SpecModel, made
from nnctl.spec.inside import Inside

from .attention import Attention, Scored
from .bidirectional import Bidirectional
from .dense import Dense
from .merge import Concat
from .recurrent import Recurrent
from .shaping import MeanSteps, RepeatVector


class _Member(Inside):
    """A layer of the encoder or the decoder: each reads the one before."""

    message = "has no effect here"
    hint = "layers of an encoder or a decoder are a stack, each reads the one before"


Stack = Annotated[
    list[Annotated[LayerModel, _Member("layers")]],
    Field(min_length=1),
    Expect("one table [[layers.encoder]] or [[layers.decoder]] or more"),
]


class Sampling(SpecModel):
    """Outputs of the decoder's own in place of the right ones, each by chance (Bengio et al. 2015).

    They are those of a run that is fed the right ones (Duckworth et al. 2019).
    """

    rate: float = Field(gt=0, le=1, description="probability of an own output, in the end")
    steps: int = Field(
        ge=1, le=10**9, description="training steps over which it grows to that, from 0"
    )


class EncoderDecoder(LayerModel):
    """From a sequence to another, of any length (Cho et al. 2014; Sutskever, Vinyals & Le 2014).

    The encoder reads the input to its end; what it gives then is the context. The decoder reads
    the outputs before, a step at a time, and gives the next: in training the right ones are fed to
    it (teacher forcing; Williams & Zipser 1989), in prediction its own. A dense layer with tanh
    turns the context into the state that each of its recurrent layers starts from, and every step
    reads the context too, unless ``context = "start"``.

    With attention the encoder gives all its states: the decoder starts from their mean, and behind
    its last recurrent layer each step is joined with the mean of those that fit its state, a
    context of its own. The last layer of the decoder gives the output.
    """

    without: ClassVar[tuple[str, ...]] = ("share",)

    type: Literal["encoder_decoder"]
    encoder: Stack = Field(description="layers that read the input, the first of them what it is")
    decoder: Stack = Field(
        description="layers that read the outputs before; of tokens, an embedding first"
    )
    context: Literal["every_step", "start"] | None = Field(
        None,
        description="where the decoder reads the context: at every step, or in its first state "
        "alone; default every_step, with attention start",
    )
    attention: Scored | None = Field(
        None, description="the context of each step, by score and units; default: one for all steps"
    )
    stop_head: bool = Field(
        False,
        description="of numbers: learn where a sequence ends, by a dense layer beside the last one",
    )
    scheduled_sampling: Sampling | None = Field(
        None, description="feed it some of its own outputs in training; default: the right ones"
    )

    def conflicts(self) -> Iterable[Finding]:
        recurrent = [layer for layer in self.decoder if isinstance(layer, Recurrent)]
        if not recurrent:
            message = "a decoder needs a recurrent layer, which carries on what it has said"
            yield Finding(("decoder",), message, 'add one of type = "gru" or "lstm"')
        if isinstance(self.decoder[-1], Recurrent | Bidirectional):
            message = (
                "the last layer of a decoder gives the output, and a recurrent one gives states"
            )
            hint = 'add a layer of type = "dense" with units for the output'
            yield Finding(("decoder", len(self.decoder) - 1), message, hint)
        for k, layer in enumerate(self.decoder):
            yield from (finding.under("decoder", k) for finding in _backward(layer))

    def own_share(self) -> tuple[float, int]:
        sampling = self.scheduled_sampling
        return (sampling.rate, sampling.steps) if sampling is not None else (0.0, 1)

    def ends_by(self) -> str | None:
        return "stop" if self.stop_head else None

    def members(self) -> tuple[Part, ...]:
        return tuple(self._encoding()) + tuple(self._decoding())

    def _encoding(self) -> Iterator[Part]:
        layers = list(self.encoder)
        if self.attention is None:
            layers[-1] = _to_last(layers[-1])
        yield from _stack("encoder", layers, ())
        if self.attention is not None:
            mean = made(MeanSteps, "mean_steps")
            yield Part("summary", mean, (_names("encoder", layers)[-1],))

    def _decoding(self) -> Iterator[Part]:
        states = _names("encoder", self.encoder)[-1]
        context = states if self.attention is None else "summary"
        names, before, count = _names("decoder", self.decoder), PREVIOUS, 0
        of_cells = [k for k, layer in enumerate(self.decoder) if isinstance(layer, Recurrent)]
        for k, layer in enumerate(self.decoder):
            reads: tuple[str, ...] = (before,)
            if k == of_cells[0] and self._everywhere:
                yield Part("context", made(RepeatVector, "repeat_vector"), (context, PREVIOUS))
                yield Part("joined", made(Concat, "concat"), (before, "context"))
                reads = ("joined",)
            if isinstance(layer, Recurrent):
                count += 1
                yield Part(f"start_{count}", _bridge(layer), (context,))
                reads = (*reads, f"start_{count}")
            last = k == len(self.decoder) - 1
            yield Part("" if last else names[k], layer, reads, ("decoder", k))
            if last and self.stop_head:
                yield Part("stop", made(Dense, "dense", units=1), reads, ("stop_head",))
            before = names[k]
            if k == of_cells[-1] and self.attention is not None:
                yield Part("attention", self._attention(), (before, states), ("attention",))
                yield Part("attended", made(Concat, "concat"), (before, "attention"))
                before = "attended"

    @property
    def _everywhere(self) -> bool:
        default = "every_step" if self.attention is None else "start"
        return (self.context or default) == "every_step"

    def _attention(self) -> Attention:
        given: dict[str, Any] = self.attention.model_dump() if self.attention is not None else {}
        return made(Attention, "attention", **given)


def _stack(name: str, layers: Sequence[LayerModel], first: tuple[str, ...]) -> Iterator[Part]:
    reads = first
    for k, (label, layer) in enumerate(zip(_names(name, layers), layers, strict=True)):
        yield Part(label, layer, reads, (name, k))
        reads = (label,)


def _names(name: str, layers: Sequence[LayerModel]) -> list[str]:
    """What the layers of a stack are called: TYPE_k is the k-th of its type."""
    counts: Counter[str] = Counter()
    found = []
    for layer in layers:
        counts[layer.type] += 1
        found.append(f"{name}.{layer.type}_{counts[layer.type]}")
    return found


def _to_last(layer: LayerModel) -> LayerModel:
    """The same layer, giving its last state alone."""
    last = {"returns": "last"}
    if isinstance(layer, Bidirectional):
        return layer.model_copy(update={"layer": layer.layer.model_copy(update=last)})
    return layer.model_copy(update=last) if isinstance(layer, Recurrent) else layer


def _bridge(layer: Recurrent) -> Dense:
    """What turns the context into the states that a recurrent layer starts from."""
    units = layer.width * len(layer.handed_on)
    return made(Dense, "dense", units=units, activation="tanh")


def _backward(layer: LayerModel) -> Iterator[Finding]:
    """What would let a decoder see what it has not said yet."""
    reason = "a decoder goes forward: it cannot read what it has not said yet"
    if isinstance(layer, Bidirectional):
        yield Finding(("type",), reason, "use the layer inside it alone")
    if isinstance(layer, Recurrent) and layer.backward:
        yield Finding(("backward",), reason, "remove it")
    if isinstance(layer, Recurrent) and layer.returns == "last":
        yield Finding(("returns",), "a decoder gives an output at every step", "remove it")
