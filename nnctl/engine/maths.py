"""exp, tanh, sigmoid and erf as polynomials that LLVM turns into vectors; NaN passes through.

float32: Cephes' expf (Moshier 1992) and the rational forms of tanh and erf used by Eigen, within
3e-7. float64: Cephes' exp within 2 ulp, the others from it or from the C library.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types
from numba.extending import overload

from nnctl.engine.intrinsics import float32_of_bits, float_of_bits
from nnctl.engine.jit import inline

S, D = np.float32, np.float64


@inline
def _exp32(x):
    # written so that a NaN fails both comparisons and stays
    x = S(88.3) if x > S(88.3) else x
    x = S(-87.3) if x < S(-87.3) else x
    n = np.floor(x * S(1.44269504) + S(0.5))
    r = x - n * S(0.693359375)
    r = r + n * S(2.12194440e-4)
    p = S(1.9875691500e-4)
    p = p * r + S(1.3981999507e-3)
    p = p * r + S(8.3334519073e-3)
    p = p * r + S(4.1665795894e-2)
    p = p * r + S(1.6666665459e-1)
    p = p * r + S(5.0000001201e-1)
    y = p * r * r + r + S(1)
    return y * float32_of_bits(np.int32((np.int32(n) + np.int32(127)) << np.int32(23)))


@inline
def _exp64(x):
    x = D(709.0) if x > D(709.0) else x
    x = D(-708.0) if x < D(-708.0) else x
    n = np.floor(x * D(1.4426950408889634) + D(0.5))
    r = x - n * D(6.93145751953125e-1)
    r = r - n * D(1.42860682030941723212e-6)
    z = r * r
    p = D(1.26177193074810590878e-4) * z + D(3.02994407707441961300e-2)
    p = r * (p * z + D(9.99999999999999999910e-1))
    q = D(3.00198505138664455042e-6) * z + D(2.52448340349684104192e-3)
    q = (q * z + D(2.27265548208155028766e-1)) * z + D(2.00000000000000000005)
    y = D(1) + D(2) * p / (q - p)
    return y * float_of_bits((np.int64(n) + np.int64(1023)) << np.int64(52))


@inline
def _tanh32(x):
    # from here on the quotient is 1 to the last bit, and so the slope 1 - y * y is 0
    x = S(7.99881172180175781) if x > S(7.99881172180175781) else x
    x = S(-7.99881172180175781) if x < S(-7.99881172180175781) else x
    z = x * x
    p = S(-2.76076847742355e-16) * z + S(2.00018790482477e-13)
    p = p * z + S(-8.60467152213735e-11)
    p = p * z + S(5.12229709037114e-08)
    p = p * z + S(1.48572235717979e-05)
    p = p * z + S(6.37261928875436e-04)
    p = (p * z + S(4.89352455891786e-03)) * x
    q = S(1.19825839466702e-06) * z + S(1.18534705686654e-04)
    q = q * z + S(2.26843463243900e-03)
    return p / (q * z + S(4.89352518554385e-03))


@inline
def _tanh64(x):
    # Cephes' rational form below 0.625, where the quotient of exponentials would cancel
    z = x * x
    p = D(-9.64399179425052238628e-1) * z + D(-9.92877231001918586564e1)
    p = p * z + D(-1.61468768441708447952e3)
    q = (z + D(1.12811678491632931402e2)) * z + D(2.23548839060100448583e3)
    q = q * z + D(4.84406305325125486048e3)
    small = x + x * z * (p / q)
    large = D(1) - D(2) / (_exp64(D(2) * x) + D(1))
    return small if z < D(0.390625) else large


@inline
def _erf32(x):
    x = S(4) if x > S(4) else x
    x = S(-4) if x < S(-4) else x
    z = x * x
    p = S(-2.72614225801306e-10) * z + S(2.77068142495902e-08)
    p = p * z + S(-2.10102402082508e-06)
    p = p * z + S(-5.69250639462346e-05)
    p = p * z + S(-7.34990630326855e-04)
    p = p * z + S(-2.95459980854025e-03)
    p = (p * z + S(-1.60960333262415e-02)) * x
    q = S(-1.45660718464996e-05) * z + S(-2.13374055278905e-04)
    q = q * z + S(-1.68282697438203e-03)
    q = q * z + S(-7.37332916720468e-03)
    return p / (q * z + S(-1.42647390514189e-02))


@inline
def _erf64(x):
    return math.erf(x)


@inline
def _sigmoid32(x):
    return S(1) / (S(1) + _exp32(-x))


@inline
def _sigmoid64(x):
    return D(1) / (D(1) + _exp64(-x))


@inline
def _log1p32(e):
    # log(1 + e) = 2 atanh(e / (2 + e)) for 0 <= e <= 1; keeps the relative accuracy of a tiny e
    s = e / (S(2) + e)
    z = s * s
    p = S(1 / 15) * z + S(1 / 13)
    p = p * z + S(1 / 11)
    p = p * z + S(1 / 9)
    p = p * z + S(1 / 7)
    p = p * z + S(1 / 5)
    p = p * z + S(1 / 3)
    return S(2) * s * (p * z + S(1))


@inline
def _log1p64(e):
    return math.log1p(e)


def _pair(name, reference, single, double):
    """A function of one number, by the number's type; ``reference`` serves without the compiler."""

    def function(x):
        return type(x)(reference(x))

    function.__name__ = function.__qualname__ = name

    @overload(function)
    def choose(x):
        if x == types.float32:
            return lambda x: single(x)
        return lambda x: double(x)

    return function


exp = _pair("exp", np.exp, _exp32, _exp64)
tanh = _pair("tanh", np.tanh, _tanh32, _tanh64)
erf = _pair("erf", math.erf, _erf32, _erf64)


sigmoid = _pair("sigmoid", lambda x: 1 / (1 + np.exp(-x)), _sigmoid32, _sigmoid64)
log1p_unit = _pair("log1p_unit", np.log1p, _log1p32, _log1p64)


def like(value, x):
    """``value`` in the type of ``x``; a bare literal would turn the formula to double."""
    return type(x)(value)


@overload(like)
def _like(value, x):
    kind = np.float32 if x == types.float32 else np.float64
    return lambda value, x: kind(value)
