"""From sequence to sequence: what the decoder is fed, outputs and gradients, padding, threads."""

from __future__ import annotations

import numpy as np
import pytest

from nnctl.spec.info import START, STOP, DataInfo, TargetInfo
from tests.checks import driver
from tests.graph.networks import LOSS, hints, problems
from tests.plan.nets import net, plan_of, random_parameters, same
from tests.reference import encoder_decoder

COUNT, STEPS, OUT = 12, 5, 4
CLASSES = (START, STOP, "a", "b", "c")
INFO = DataInfo({"": (STEPS, 2)}, {"": TargetInfo("class", 5, CLASSES, OUT)}, COUNT, lengths=("",))
LENGTHS = np.array([5, 1, 3, 2, 4, 5, 1, 2, 3, 5, 4, 2])
ENDS = np.array([4, 2, 1, 3, 4, 4, 2, 1, 3, 4, 2, 3])


def layers(kind="gru", more=""):  # type: ignore[no-untyped-def]
    decoder = f'[{{type="embedding",units=3}},{{type="{kind}",units=4}},{{type="dense",units=5}}]'
    encoder = f'[{{type="{kind}",units=3}}]'
    return f'encoder_decoder name="e" encoder={encoder} decoder={decoder} {more}'


def data(padding=0.0, seed=0):  # type: ignore[no-untyped-def]
    stream = np.random.default_rng(seed)
    x, labels = stream.normal(size=(COUNT, STEPS, 2)), stream.integers(2, 5, (COUNT, OUT))
    x[np.arange(STEPS) >= LENGTHS[:, None]] = padding
    labels[np.arange(COUNT), ENDS - 1] = 1
    labels[np.arange(OUT) >= ENDS[:, None]] = -1
    return x, labels


def plan(text, padding=0.0, **options):  # type: ignore[no-untyped-def]
    graph, optimizer = net(text, INFO, LOSS)
    made = plan_of(graph, optimizer, **options)
    x, labels = data(padding)
    made.attach("train", {"": x}, {"": labels}, {"": LENGTHS})
    return made, graph, x, labels


def previous(labels):  # type: ignore[no-untyped-def]
    before = np.concatenate([np.zeros((COUNT, 1), int), labels[:, :-1]], axis=1)
    return np.where(before < 0, 0, before)


ATTENTION = {
    None: "",
    "additive": 'attention={score="additive",units=6}',
    "dot": "attention={units=6}",
}


@pytest.mark.parametrize("score", ATTENTION)
@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_outputs_and_gradients_are_those_of_the_formulas(kind: str, score: str | None) -> None:
    gradients("encoder_decoder", kind, score)


def gradients(tag: str, kind: str = "gru", score: str | None = None) -> None:
    assert tag == "encoder_decoder"
    made, graph, x, labels = plan(layers(kind, ATTENTION[score]))
    rows = np.arange(8)
    loss, found = made.gradients("train", rows)
    start = {k.removeprefix("param/e."): a for k, a in random_parameters(graph).items()}
    fed = previous(labels)[rows]

    def value(params):  # type: ignore[no-untyped-def]
        outputs = encoder_decoder.run(params, kind, x[rows], fed, LENGTHS[rows], ENDS[rows], score)
        return encoder_decoder.loss(outputs, labels[rows])

    assert loss == pytest.approx(value(start), rel=1e-12)
    assert len(start) == len(found)
    for name, a in start.items():
        way, h = np.random.default_rng(1).normal(size=a.shape), 1e-4
        ends = [value({**start, name: a + k * h * way}) for k in (1, -1, 2, -2)]
        slope = (8 * (ends[0] - ends[1]) - (ends[2] - ends[3])) / (12 * h)
        assert (found[f"e.{name}"] * way).sum() == pytest.approx(slope, rel=1e-7, abs=1e-10), name


@pytest.mark.parametrize("score", ATTENTION)
def test_padding_and_threads_change_no_bit(score: str | None) -> None:
    results = []
    for padding, threads in ((0.0, 1), (50.0, 1), (0.0, 2), (0.0, 3)):
        made, *_ = plan(layers(more=ATTENTION[score]), padding, threads=threads, batch=COUNT)
        with driver.always_threaded():
            loss, found = made.gradients("train", np.arange(COUNT))
            outputs = made.evaluate("train").outputs
        results.append({**found, **outputs, "loss": np.array(loss)})
    for other in results[1:]:
        assert same(results[0], other)


def test_what_a_step_says_does_not_depend_on_later_ones() -> None:
    made, graph, x, labels = plan(layers())
    (before,) = made.evaluate("train").outputs.values()
    changed = labels.copy()
    changed[0, 2] = 3 if labels[0, 2] == 2 else 2
    made.attach("other", {"": x}, {"": changed}, {"": LENGTHS})
    (after,) = made.evaluate("other").outputs.values()
    before, after = (a.reshape(COUNT, OUT, -1) for a in (before, after))
    assert np.array_equal(before[0, :3], after[0, :3])
    assert not np.array_equal(before[0, 3], after[0, 3])


def test_numbers_are_fed_as_numbers() -> None:
    info = DataInfo({"": (STEPS, 2)}, {"": TargetInfo("number", 2, steps=OUT)}, COUNT)
    decoder = '[{type="gru",units=4},{type="dense",units=2}]'
    text = f'encoder_decoder name="e" encoder=[{{type="gru",units=3}}] decoder={decoder}'
    graph, _ = net(text, info, '[loss]\ntype = "mse"\n')
    assert dict(graph.inputs)["e.previous"] == (OUT, 2)
    made = plan_of(graph)
    stream = np.random.default_rng(0)
    x, y = stream.normal(size=(COUNT, STEPS, 2)), stream.normal(size=(COUNT, OUT, 2))
    made.attach("train", {"": x}, {"": y})
    outputs = []
    for step in (2, 3):  # the last step's target is fed to none
        moved = y.copy()
        moved[:, step] += 1
        made.attach("other", {"": x}, {"": moved})
        (found,) = made.evaluate("other").outputs.values()
        outputs.append(found.reshape(COUNT, OUT, 2))
    (plain,) = made.evaluate("train").outputs.values()
    plain = plain.reshape(COUNT, OUT, 2)
    assert np.array_equal(outputs[1], plain)
    assert np.array_equal(outputs[0][:, :3], plain[:, :3])
    assert not np.array_equal(outputs[0][:, 3], plain[:, 3])


def test_what_cannot_be_an_encoder_decoder_is_refused() -> None:
    one = DataInfo({"": (STEPS, 2)}, {"": TargetInfo("class", 5)}, COUNT)
    assert (
        '"e" gives a sequence, and the target is one a sample' in problems(layers(), LOSS, one)[0]
    )
    flat = 'encoder_decoder encoder=[{type="gru",units=3},{type="dense",units=2}] '
    flat += 'decoder=[{type="embedding",units=3},{type="gru",units=4},{type="dense",units=5}]'
    (said,) = problems(flat, LOSS, INFO)
    assert "repeat_vector expects a vector and a sequence" in said
    amounts = (
        'encoder_decoder name="e" encoder=[{type="gru",units=3}] decoder=[{type="gru",units=4},'
    )
    (said,) = problems(amounts + '{type="dense",units=5}]', LOSS, INFO)
    assert '"e" is fed classes, which are tokens, and takes them for amounts' in said
    wide = layers(more='attention={score="dot"}')
    (said,) = problems(wide, LOSS, INFO)
    assert "dot products need equal numbers, given 4x4 and 5x3" in said
    assert "set units" in hints(wide, LOSS, INFO)[0]


def sampled(rate="1.0", steps=1):  # type: ignore[no-untyped-def]
    return layers(more=f"scheduled_sampling={{rate={rate},steps={steps}}}")


def test_scheduled_sampling_feeds_what_the_network_said() -> None:
    """At a rate of 1 every symbol but the first is the likeliest behind the right ones."""
    made, graph, x, labels = plan(sampled())
    rows = np.arange(8)
    start = {k.removeprefix("param/e."): a for k, a in random_parameters(graph).items()}
    right = previous(labels)[rows]
    ends = (x[rows], LENGTHS[rows], ENDS[rows])

    def run(fed):  # type: ignore[no-untyped-def]
        return encoder_decoder.run(start, "gru", ends[0], fed, *ends[1:])

    own = np.argmax(run(right)[:, :, 1:], axis=2) + 1  # the start is never said
    fed = np.concatenate([right[:, :1], own[:, :-1]], axis=1)
    assert (fed != right).any()
    first = encoder_decoder.loss(run(right), labels[rows])
    after = encoder_decoder.loss(run(fed), labels[rows])
    assert made.loss("train", rows, step=0) == pytest.approx(first, rel=1e-12)
    assert made.loss("train", rows, step=5) == pytest.approx(after, rel=1e-12)
    made.evaluate("train")  # where nothing is sampled
    (outputs,) = made.evaluate("train", rows).outputs.values()
    assert np.allclose(outputs.reshape(8, OUT, -1)[0], run(right)[0])


def test_half_of_the_symbols_are_its_own_at_half_the_rate() -> None:
    losses = []
    made, *_ = plan(sampled("0.5"))
    for step in (0, 1, 2):
        losses.append(made.loss("train", np.arange(8), step=step))
    assert len(set(losses)) == 3, "other symbols at other steps"
    again, *_ = plan(sampled("0.5"), threads=3)
    with driver.always_threaded():
        assert again.loss("train", np.arange(8), step=2) == losses[2]


NUMBERS = DataInfo({"": (STEPS, 2)}, {"": TargetInfo("number", 2, steps=OUT)}, COUNT)
ENDING = (
    'encoder_decoder name="e" stop_head=true encoder=[{type="gru",units=3}] '
    'decoder=[{type="gru",units=4},{type="dense",units=2}]'
)


def test_a_stop_head_learns_where_sequences_end() -> None:
    graph, _ = net(ENDING, NUMBERS, '[loss]\ntype = "mse"\n')
    assert [loss.output for loss in graph.losses] == ["e", "e.stop"]
    made = plan_of(graph)
    stream = np.random.default_rng(0)
    x, y = stream.normal(size=(COUNT, STEPS, 2)), stream.normal(size=(COUNT, OUT, 2))
    y[np.arange(OUT) >= ENDS[:, None]] = np.nan
    made.attach("train", {"": x}, {"": y})
    rows = np.arange(8)
    found = made.evaluate("train", rows)
    numbers = found.outputs["e"].reshape(8, OUT, 2)
    logits = found.outputs["e.stop"].reshape(8, OUT)
    there = np.arange(OUT) < ENDS[rows, None]
    last = np.arange(OUT) == ENDS[rows, None] - 1
    squares = ((numbers - y[rows])[there] ** 2).mean()
    crossed = (np.logaddexp(0, logits) - last * logits)[there].mean()
    assert found.loss == pytest.approx(squares + crossed, rel=1e-12)
    assert made.gradients("train", rows)[1]["e.stop.w"].any()


def test_classes_have_a_stop_of_their_own() -> None:
    (said,) = problems(layers(more="stop_head=true"), LOSS, INFO)
    assert "is for numbers: classes have one that ends a sequence" in said
