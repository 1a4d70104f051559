"""Adam (Kingma & Ba 2015):

m = beta1 m + (1 - beta1) g        v = beta2 v + (1 - beta2) g^2
p = p - rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)        t = 1, 2, ...
"""

from math import sqrt

import numpy as np

from nnctl.engine.kernel import elementwise
from nnctl.engine.maths import like
from nnctl.optim.registry import Fields, Rule, register


@elementwise("p m v", checked=True)
def adam(p, g, m, v, beta1, beta2, epsilon, corrected_rate, correction2):
    m = beta1 * m + (like(1, m) - beta1) * g
    v = beta2 * v + (like(1, v) - beta2) * g * g
    return p - corrected_rate * m / (sqrt(v) * correction2 + epsilon), m, v


def _scalars(fields: Fields, t: np.ndarray) -> dict[str, np.ndarray]:
    first, second = 1.0 - fields["beta1"] ** t, 1.0 - fields["beta2"] ** t
    return {"corrected_rate": fields["learning_rate"] / first, "correction2": second**-0.5}


register("adam", Rule(adam, slots=("m", "v"), scalars=_scalars))
