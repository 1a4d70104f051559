"""Gradient descent, with momentum and Nesterov's look-ahead (Polyak 1964, Nesterov 1983).

    form = "notes":  v = momentum v - rate g,  p = p + v;  Nesterov: g is taken at p + momentum v
    form = "torch":  v = momentum v + g,       p = p - rate v  (Nesterov: p - rate (g + momentum v))

The rate lies inside the velocity in the first and outside in the second: with v scaled by -rate
they are the same while the rate is constant, and differ when it changes.
"""

from nnctl.engine.kernel import elementwise
from nnctl.optim.registry import Fields, Rule, register


@elementwise("p", checked=True)
def sgd(p, g, learning_rate):
    return p - learning_rate * g


@elementwise("p v", checked=True)
def sgd_momentum(p, g, v, learning_rate, momentum):
    v = momentum * v - learning_rate * g
    return p + v, v


@elementwise("p start")
def look_ahead(p, v, momentum):
    """Move to p + momentum v for this step's gradient; ``start`` keeps p."""
    return p + momentum * v, p


@elementwise("p v", checked=True)
def sgd_nesterov(p, g, v, start, learning_rate, momentum):
    v = momentum * v - learning_rate * g
    return start + v, v


@elementwise("p v", checked=True)
def sgd_momentum_torch(p, g, v, learning_rate, momentum):
    v = momentum * v + g
    return p - learning_rate * v, v


@elementwise("p v", checked=True)
def sgd_nesterov_torch(p, g, v, learning_rate, momentum):
    v = momentum * v + g
    return p - learning_rate * (g + momentum * v), v


def _rule(fields: Fields) -> Rule:
    if not fields["momentum"]:
        return Rule(sgd)
    if fields["form"] == "torch":
        return Rule(sgd_nesterov_torch if fields["nesterov"] else sgd_momentum_torch, slots=("v",))
    if fields["nesterov"]:
        return Rule(sgd_nesterov, slots=("v",), temporary=("start",), before=look_ahead)
    return Rule(sgd_momentum, slots=("v",))


register("sgd", _rule)
