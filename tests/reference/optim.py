"""Update rules on one plain Python float."""

from __future__ import annotations

from math import sqrt


def adam(fields, start, gradient, rates):
    p, m, v, path = start, 0.0, 0.0, []
    b1, b2 = fields.get("beta1", 0.9), fields.get("beta2", 0.999)
    for t, rate in enumerate(rates, start=1):
        g = gradient(p)
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        m_hat, v_hat = m / (1 - b1**t), v / (1 - b2**t)
        p -= rate * m_hat / (sqrt(v_hat) + fields.get("epsilon", 1e-8))
        path.append(p)
    return path


def sgd(fields, start, gradient, rates):
    """The notes' forms: the rate lies in the velocity; Nesterov looks ahead for its gradient."""
    p, v, path = start, 0.0, []
    mu = fields.get("momentum", 0.0)
    for rate in rates:
        g = gradient(p + mu * v) if fields.get("nesterov") else gradient(p)
        v = mu * v - rate * g
        p += v
        path.append(p)
    return path


def sgd_torch(fields, start, gradient, rates):
    p, v, path = start, 0.0, []
    mu = fields["momentum"]
    for rate in rates:
        g = gradient(p)
        v = mu * v + g
        p -= rate * (g + mu * v if fields.get("nesterov") else v)
        path.append(p)
    return path
