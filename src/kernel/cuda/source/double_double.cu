// double_double: the unevaluated sum hi + lo of two doubles, about 31 digits. The algorithms are those of
// src/scalar/double_double/arithmetic.rs, where their sources and bounds stand, operation by operation.

struct double_double {
    double hi, lo;
};

INLINE double_double dd(double hi, double lo) {
    double_double x = {hi, lo};
    return x;
}
INLINE double_double dd(double x) { return dd(x, 0.0); }

// s + e = a + b exactly, s = fl(a + b).
INLINE double_double two_sum(double a, double b) {
    double s = a + b;
    double b_seen = s - a;
    double a_seen = s - b_seen;
    return dd(s, (a - a_seen) + (b - b_seen));
}

// The same for |a| >= |b| or a = 0.
INLINE double_double quick_two_sum(double a, double b) {
    double s = a + b;
    return dd(s, b - (s - a));
}

// p + e = a b exactly, p = fl(a b). Where e may be any zero it is +0, which no `hi` depends on.
INLINE double_double two_product(double a, double b) {
    double p = a * b;
    return dd(p, fused(a, b, -p));
}

// x 2^k for |k| <= 2000; under 2^-960 `lo` and perhaps `hi` keep fewer bits, and `hi` is rounded once.
INLINE double_double scaled(double_double x, int k) {
    double hi = scale(x.hi, k);
    if (!is_finite(hi) || hi == 0.0) return dd(hi);
    if (magnitude(hi) >= power_of_two(-960)) return dd(hi, scale(x.lo, k));
    double lost = x.hi - scale(hi, -k);
    double lo = scale(lost + x.lo, k);
    if (lost == 0.0 && hi + lo != hi) {
        double smallest = from_bits(1);
        return dd(hi, lo - (lo < 0.0 ? -smallest : smallest));
    }
    return quick_two_sum(hi, lo);
}

// x 2^k, where that keeps x or brings it into range: nothing is rounded that could be seen.
INLINE double_double into_range(double_double x, int k) { return dd(scale(x.hi, k), scale(x.lo, k)); }

INLINE double_double sum_in_range(double_double a, double_double b) {
    double_double s = two_sum(a.hi, b.hi);
    double_double t = two_sum(a.lo, b.lo);
    double_double v = quick_two_sum(s.hi, s.lo + t.hi);
    return quick_two_sum(v.hi, t.lo + v.lo);
}

INLINE double_double operator-(double_double x) { return dd(-x.hi, -x.lo); }

// AccurateDWPlusDW.
INLINE double_double operator+(double_double a, double_double b) {
    double_double sum = sum_in_range(a, b);
    if (sum.hi == 0.0) return dd(a.hi + b.hi);
    if (is_finite(sum.lo)) return sum;
    if (!is_finite(a.hi) || !is_finite(b.hi)) return dd(a.hi + b.hi);
    // Something on the way was not finite, though neither operand is: a quarter of each can be added.
    double_double quarter = sum_in_range(into_range(a, -2), into_range(b, -2));
    double_double whole = into_range(quarter, 2);
    return is_finite(whole.hi) ? whole : dd(whole.hi);
}

INLINE double_double operator-(double_double a, double_double b) { return a + -b; }

// DWTimesFP1, in range.
INLINE double_double times(double_double x, double y) {
    double_double c = two_product(x.hi, y);
    double_double t = quick_two_sum(c.hi, x.lo * y);
    return quick_two_sum(t.hi, t.lo + c.lo);
}

// DWTimesDW1, in range.
INLINE double_double product_in_range(double_double a, double_double b) {
    double_double p = two_product(a.hi, b.hi);
    return quick_two_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

INLINE double_double operator*(double_double a, double_double b) {
    double_double product = product_in_range(a, b);
    if (is_finite(product.lo) && magnitude(product.hi) >= power_of_two(-960)) return product;
    double plain = a.hi * b.hi;
    if (!is_finite(plain) || a.hi == 0.0 || b.hi == 0.0) return dd(plain);
    int k = exponent(a.hi), l = exponent(b.hi);
    return scaled(product_in_range(into_range(a, -k), into_range(b, -l)), max(k + l, -1200));
}

// DWDivDW2, for magnitudes from 2^-450 to 2^450.
INLINE double_double quotient_in_range(double_double a, double_double b) {
    double quotient = a.hi / b.hi;
    double_double product = times(b, quotient);
    double remainder = (a.hi - product.hi) + (a.lo - product.lo);
    return quick_two_sum(quotient, remainder / b.hi);
}

INLINE bool is_moderate(double x) {
    return magnitude(x) >= power_of_two(-450) && magnitude(x) <= power_of_two(450);
}

INLINE double_double operator/(double_double a, double_double b) {
    if (is_moderate(a.hi) && is_moderate(b.hi)) return quotient_in_range(a, b);
    if (a.hi == 0.0 || b.hi == 0.0 || !is_finite(a.hi) || !is_finite(b.hi)) return dd(a.hi / b.hi);
    int k = exponent(a.hi), l = exponent(b.hi);
    return scaled(quotient_in_range(into_range(a, -k), into_range(b, -l)), min(max(k - l, -1200), 1200));
}

INLINE bool operator>=(double_double a, double_double b) { return a.hi > b.hi || (a.hi == b.hi && a.lo >= b.lo); }
INLINE bool operator<=(double_double a, double_double b) { return b >= a; }
INLINE bool operator<(double_double a, double_double b) { return a.hi < b.hi || (a.hi == b.hi && a.lo < b.lo); }
INLINE bool operator>(double_double a, double_double b) { return b < a; }

INLINE bool is_nan(double_double x) { return is_nan(x.hi); }
INLINE bool is_finite(double_double x) { return is_finite(x.hi); }
INLINE double_double magnitude(double_double x) { return (long long)bits_of(x.hi) < 0 ? -x : x; }

// SQRTDWtoDW.
INLINE double_double square_root(double_double x) {
    double root = __dsqrt_rn(x.hi);
    if (root == 0.0 || !is_finite(root)) return dd(root);
    bool small = x.hi < power_of_two(-900); // scaled, root^2 is clear of underflow
    if (small) {
        x = scaled(x, 400);
        root = __dsqrt_rn(x.hi);
    }
    double_double p = two_product(root, root);
    double remainder = ((x.hi - p.hi) - p.lo) + x.lo;
    double_double y = quick_two_sum(root, remainder / (2.0 * root));
    return small ? scaled(y, -200) : y;
}
