"""What a port computes with: a machine's numbers in one of many forms, or exact rationals.

A method of the kit is written once over these two. `Machine` is a port: `enter` takes stored numbers into the working
precision, `leave` rounds a result as the port keeps it, `form` picks one of several ways to write a formula. `Exact` is
the truth that `gdstar replay` is held against: `enter` makes fractions, `leave` does nothing, every form is the first.
"""

import decimal
from fractions import Fraction

import numpy as np
from tensors import bfloat16

UNIT = {"f32": 2.0**-24, "f64": 2.0**-53}
FLOAT = {"f32": np.float32, "f64": np.float64}
WIDER = {"f32": np.float64, "f64": np.longdouble}
PI = Fraction("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803")


class Machine:
    """f32 or f64. `wide`: each formula in a wider type, rounded once. `ftz`: subnormals are 0. `coarse`: results are
    kept as bfloat16 (declared as u_out)."""

    exact = False

    def __init__(self, dtype, seed, wide=False, ftz=False, coarse=False, forms=None):
        self.dtype, self.kept = dtype, FLOAT[dtype]
        self.work = WIDER[dtype] if wide else self.kept
        self.ftz, self.coarse = ftz, coarse
        self.forms = {} if forms is None else forms
        self.rng = np.random.default_rng(seed)

    def enter(self, x):
        return np.asarray(x).astype(self.work)

    def leave(self, x):
        x = np.asarray(x).astype(self.kept)
        if self.coarse:
            x = bfloat16(x).astype(self.kept)
        if self.ftz:
            x = np.where(np.abs(x) < np.finfo(self.kept).tiny, self.kept(0), x)
        return x

    def number(self, value):
        """A hyper-parameter: read as f64, perhaps rounded to the dtype."""
        value = np.float64(value)
        return self.work(value if self.form("hyper", 2) == 0 else self.kept(value))

    def form(self, name, ways):
        """Which of `ways` ways a formula is written; the same all through a run."""
        if name not in self.forms:
            self.forms[name] = int(self.rng.integers(ways))
        return self.forms[name] % ways

    def power(self, base, exponent):
        if self.form("power", 2) == 0:
            return self.work(base) ** self.work(exponent)
        product = self.work(1)
        for _ in range(int(exponent)):
            product = product * self.work(base)
        return product

    def real_power(self, base, exponent):
        return self.work(base) ** self.work(exponent)

    def cos_pi(self, x):
        return np.cos(self.work("3.14159265358979323846264338") * self.work(x))

    def log(self, x):
        return np.log(self.work(x))


class Exact:
    """Fractions; transcendental functions to 60 digits."""

    exact, dtype, kept = True, "f64", np.float64

    def enter(self, x):
        x = np.asarray(x)
        if x.dtype == object:
            return x
        return np.array([Fraction(float(value)) for value in x.ravel()] or [], dtype=object).reshape(x.shape)

    def leave(self, x):
        return x

    def number(self, value):
        return Fraction(float(value))

    def form(self, name, ways):
        return 0

    def power(self, base, exponent):
        return Fraction(base) ** int(exponent)

    def real_power(self, base, exponent):
        if base == 0:
            return Fraction(int(exponent == 0))
        with decimal.localcontext(prec=60):
            return Fraction((as_decimal(base).ln() * as_decimal(exponent)).exp())

    def cos_pi(self, x):
        if 2 * x in (0, 1, 2):
            return Fraction(1 - int(2 * x))
        angle, total, term, i = PI * Fraction(x), Fraction(0), Fraction(1), 0
        square = (angle * angle).limit_denominator(10**50)
        while abs(term) > Fraction(1, 10**45):
            total += term
            i += 2
            term = (-term * square / (i * (i - 1))).limit_denominator(10**60)
        return total

    def log(self, x):
        with decimal.localcontext(prec=60):
            return Fraction(as_decimal(x).ln())


def as_decimal(x):
    x = Fraction(x)
    return decimal.Decimal(x.numerator) / decimal.Decimal(x.denominator)
