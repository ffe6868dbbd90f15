// `wide`: what a real is widened to, and rounded from. As a number among a kernel's arguments or in memory it is two
// doubles, hi and lo, for both reals; float's lo is 0.

#if REAL_BITS == 32

typedef double wide;
INLINE wide wide_from(double x) { return x; }
INLINE wide wide_from(double hi, double lo) { return hi; }
INLINE double high(wide x) { return x; }
INLINE double low(wide x) { return 0.0; }
INLINE wide widen(real x) { return x; }
INLINE real narrow(wide x) { return __double2float_rn(x); }
INLINE wide square_root(wide x) { return __dsqrt_rn(x); }

INLINE wide add_exactly(wide sum, wide term) { return sum + term; }

// sum + a b: the product of two floats is a double, exactly.
INLINE wide add_product(wide sum, real a, real b) { return add_exactly(sum, (double)a * (double)b); }

INLINE unsigned int bits_of(real x) { return __float_as_uint(x); }
typedef unsigned int key;

#else

typedef double_double wide;
INLINE wide wide_from(double x) { return dd(x); }
INLINE wide wide_from(double hi, double lo) { return dd(hi, lo); }
INLINE double high(wide x) { return x.hi; }
INLINE double low(wide x) { return x.lo; }
INLINE wide widen(real x) { return dd(x); }
INLINE real narrow(wide x) { return x.hi; }

// sum + term; a zero has the sign that the plain sum has, and where something on the way is not finite the result is the
// plain sum.
INLINE wide add_exactly(wide sum, wide term) {
    double_double s = two_sum(sum.hi, term.hi);
    double_double t = two_sum(sum.lo, term.lo);
    double_double v = quick_two_sum(s.hi, s.lo + t.hi);
    double_double z = quick_two_sum(v.hi, t.lo + v.lo);
    return z.hi == 0.0 || !is_finite(z.lo) ? dd(s.hi) : z;
}

// sum + a b, the product exactly.
INLINE wide add_product(wide sum, real a, real b) { return add_exactly(sum, two_product(a, b)); }

typedef unsigned long long key;

#endif

// A number of the wide type in memory.
struct stored_wide {
    double hi, lo;
};

INLINE wide load(const stored_wide *from) { return wide_from(from->hi, from->lo); }
INLINE void store(stored_wide *to, wide x) {
    to->hi = high(x);
    to->lo = low(x);
}

// A count, exactly.
INLINE wide wide_count(index n) { return wide_from((double)n); }
