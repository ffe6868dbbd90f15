"""Certified results for DoubleDouble: writes golden/scalars.json.

    python golden/make/scalars.py [CASES_PER_OPERATION [SEED [OUT]]]      (needs mpmath)

Every case has operands (hi, lo) and the exact result, computed by mpmath to 600 bits, as three doubles whose sum is the
result to 159 bits (48 digits; fewer only where bits would lie below 2^-1074). Doubles are written as the 16
hexadecimal digits of their bits. The draws are over ranges chosen to be hard: cancellation down to the last bit, both
ends of the exponent range, arguments near the seams of the argument reductions, and results in the subnormal range.
"""

import json
import math
import random
import struct
import sys

import mpmath
from mpmath import mp, mpf

mp.prec = 600
# Exponents reach 2^-2148, so double operands convert to mpf exactly; expm1 and log1p near 0 need more than `prec`.
GUARD = 2300


def bits(x):
    return struct.pack(">d", x).hex()


def to_double(x):
    """x rounded to nearest even, subnormals included (mpmath's float() would round those twice)."""
    if x == 0:
        return 0.0
    exponent = max(int(mpmath.floor(mpmath.log(abs(x), 2))) - 54, -1076)
    scaled = mpmath.ldexp(x, -exponent)
    numerator = int(mpmath.floor(scaled))
    sticky = int(scaled != numerator)
    value = (numerator << 1) | sticky  # 55 or 56 bits and a sticky bit: int -> exact rational -> one rounding
    try:
        return round_ratio(value, exponent - 1)
    except OverflowError:
        return math.copysign(math.inf, x)


def round_ratio(numerator, exponent):
    """numerator * 2^exponent, rounded once: Python's int / int is correctly rounded, subnormals included."""
    return float(numerator << exponent) if exponent >= 0 else numerator / (1 << -exponent)


def split(x, words):
    """x as a sum of `words` doubles, each the rounded rest."""
    parts = []
    for _ in range(words):
        part = to_double(x)
        parts.append(part)
        x = x - mpf(part) if math.isfinite(part) else mpf(0)
    return parts


class Draw:
    def __init__(self, seed):
        self.rng = random.Random(seed)

    def low(self, hi):
        """A second word for `hi`: often about half an ulp, sometimes 0 or far smaller, the halves themselves too."""
        r = self.rng
        half = math.ulp(hi) / 2
        kind = r.randrange(6)
        if kind == 0 or half < 2.0**-1073:
            return 0.0
        if kind == 1:
            return r.choice([-1, 1]) * half * (1 - 2.0**-53)
        if kind == 2:
            return r.uniform(-1, 1) * half * 2.0 ** -r.randrange(60)
        return r.uniform(-1, 1) * half

    def word(self, hi):
        """A normalised pair: hi is the rounded sum."""
        lo = self.low(hi)
        return (hi, lo) if hi + lo == hi else (hi, 0.0)

    def exponent(self, least, most):
        return self.word(self.rng.choice([-1, 1]) * math.ldexp(self.rng.uniform(1, 2), self.rng.randint(least, most)))

    def positive(self, least, most):
        hi, lo = self.exponent(least, most)
        return (-hi, -lo) if hi < 0 else (hi, lo)

    def uniform(self, least, most):
        return self.word(self.rng.uniform(least, most))

    def near(self, centre, least=-60, most=-2):
        """centre (1 + 2^-k): around a seam."""
        return self.word(centre * (1 + self.rng.choice([-1, 1]) * 2.0 ** self.rng.uniform(least, most)))

    def near_underflow(self):
        """An exponent where results lose bits of their low word, or all of it."""
        return self.rng.choice([-1074, -1022, -1018, -960]) + self.rng.randint(-3, 6)


def pairs_to_add(d):
    kind = d.rng.randrange(5)
    if kind == 0:  # nearly opposite: only low words, or a few bits, remain
        a = d.exponent(-300, 300)
        b = d.word(-a[0] * (1 + d.rng.choice([0, 1, -1]) * 2.0 ** -d.rng.randrange(30, 53)))
    elif kind == 1:  # exponents up to 110 apart
        a = d.exponent(-100, 100)
        b = d.exponent(math.frexp(a[0])[1] - 110, math.frexp(a[0])[1] + 110)
    elif kind == 2:  # anywhere, down to subnormals
        a, b = d.exponent(-1074, -1000), d.exponent(-1074, -1000)
    elif kind == 3:  # nearly overflowing
        a, b = d.exponent(1021, 1022), d.exponent(1021, 1022)
    else:
        a, b = d.exponent(-3, 3), d.exponent(-3, 3)
    return a, b


def pairs_to_multiply(d):
    kind = d.rng.randrange(4)
    if kind == 0:  # the product reaches underflow
        e, total = d.rng.randint(-900, 0), d.near_underflow()
        return d.exponent(e, e), d.exponent(max(total - e, -1074), max(total - e, -1074))
    if kind == 1:  # one factor is beyond the splitting's overflow, or the product nearly overflows
        return d.exponent(990, 1022), d.exponent(-60, 0)
    if kind == 2:
        return d.exponent(-300, 300), d.exponent(-300, 300)
    return d.exponent(0, 0), d.exponent(0, 0)


def pairs_to_divide(d):
    kind = d.rng.randrange(5)
    if kind == 0:
        return d.exponent(-1074, 1022), d.exponent(-40, 40)
    if kind == 4:  # the quotient reaches underflow
        e, total = d.rng.randint(-900, -60), d.near_underflow()
        return d.exponent(e, e), d.exponent(e - total, e - total)
    if kind == 1:
        return d.exponent(-40, 40), d.exponent(-1020, 1020)
    if kind == 2:  # both far out, the quotient ordinary
        e = d.rng.choice([-1060, -960, 980, 1020])
        return d.exponent(e, e + 2), d.exponent(e, e + 2)
    return d.exponent(0, 0), d.exponent(0, 0)


def roots(d):
    kind = d.rng.randrange(4)
    if kind == 0:
        return d.positive(-1074, 1023)
    if kind == 1:  # around squares
        root = float(d.rng.randrange(1, 1 << 26))
        return d.word(math.nextafter(root * root, d.rng.choice([0, math.inf])))
    if kind == 2:
        return d.positive(-1074, -890)
    return d.positive(-1, 1)


def exponents(d):
    kind = d.rng.randrange(6)
    if kind == 0:
        return d.uniform(-745.2, 709.8)
    if kind == 1:  # results in the subnormal range and near it
        return d.uniform(-745.2, d.rng.choice([-704, -660]))
    if kind == 2:  # the seams k + 1/2 of the reduction
        return d.near((d.rng.randint(-1070, 1020) + 0.5) * math.log(2))
    if kind == 3:
        return d.exponent(-1000, -1)
    if kind == 4:
        return d.uniform(-1.2, 1.2)
    return d.near(d.rng.choice([709.78, -708.39, -745.13, 1.0, -1.0]))


def logarithms(d):
    kind = d.rng.randrange(5)
    if kind == 0:
        return d.positive(-1074, 1023)
    if kind == 1:  # next to 1, down to the low word alone
        return d.near(1.0, -53, -1)
    if kind == 2:
        return (1.0, d.rng.uniform(-0.4, 0.9) * 2.0 ** -d.rng.randint(54, 400))
    if kind == 3:  # the seams of the reduction
        return d.near(d.rng.choice([0.5, 1, 2]) * math.sqrt(2))
    return d.uniform(0.3, 3)


def logarithms_of_one_plus(d):
    kind = d.rng.randrange(5)
    if kind == 0:
        return d.exponent(-1000, -1)
    if kind == 1:  # next to -1
        return d.word(-1 + 2.0 ** d.rng.uniform(-53, -1))
    if kind == 2:
        return d.near(d.rng.choice([-0.29, 0.41]))
    if kind == 3:
        return d.positive(0, 1022)
    return d.uniform(-0.5, 1)


OPERATIONS = {
    "add": (pairs_to_add, lambda a, b: a + b),
    "mul": (pairs_to_multiply, lambda a, b: a * b),
    "div": (pairs_to_divide, lambda a, b: a / b),
    "sqrt": (roots, mpmath.sqrt),
    "exp": (exponents, mpmath.exp),
    "exp_m1": (exponents, mpmath.expm1),
    "ln": (logarithms, mpmath.log),
    "ln_1p": (logarithms_of_one_plus, mpmath.log1p),
}


def main(count=90, seed=20260101, out="golden/scalars.json"):
    operations = {}
    for index, (name, (draw, function)) in enumerate(OPERATIONS.items()):
        d = Draw(int(seed) + index)
        cases = []
        while len(cases) < int(count):
            drawn = draw(d)
            operands = [drawn] if isinstance(drawn[0], float) else list(drawn)
            with mp.workprec(GUARD):
                result = function(*[mpf(hi) + mpf(lo) for hi, lo in operands])
                words = split(result, 3)
            if not math.isfinite(words[0]):
                continue
            cases.append([[bits(x) for operand in operands for x in operand], [bits(x) for x in words]])
        operations[name] = cases
    with open(out, "w", encoding="ascii") as file:
        file.write('{"format": "each case: [hi, lo of every operand], [three words of the result]; bits of f64",\n')
        file.write(f'"mpmath": "{mpmath.__version__}", "seed": {int(seed)}, "operations": {{\n')
        parts = []
        for name, cases in operations.items():
            parts.append(f'"{name}": [\n' + ",\n".join(json.dumps(case) for case in cases) + "\n]")
        file.write(",\n".join(parts) + "\n}}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
