// Formulas of one number or of two, element by element: y, and dx from what the derivative reads and dy.

struct relu {
    INLINE real value(real x) { return x <= 0 ? 0 : x; }
    INLINE real gradient(real y, real dy) { return y <= 0 ? 0 : dy; }
};

struct relu6 {
    INLINE real value(real x) { return x <= 0 ? 0 : (x >= 6 ? 6 : x); }
    INLINE real gradient(real y, real dy) { return y <= 0 || y >= 6 ? 0 : dy; }
};

// h = e^(-|x|/2), e = h^2; branches are on x, so that derivatives at 0 are the two-sided ones.
struct logistic {
    bool non_negative;
    wide h, e;
};

INLINE logistic logistic_at(wide x) {
    logistic at;
    at.non_negative = x >= wide_from(0.0);
    wide half = x * wide_from(0.5);
    at.h = exponential(at.non_negative ? -half : half);
    at.e = at.h * at.h;
    return at;
}

// The sigmoid times `factor`.
INLINE wide sigmoid_times(const logistic &at, wide factor) {
    wide share = factor / (wide_from(1.0) + at.e);
    return at.non_negative ? share : at.h * (at.h * share);
}

struct sigmoid {
    INLINE real value(real x) { return narrow(sigmoid_times(logistic_at(widen(x)), wide_from(1.0))); }
    INLINE real gradient(real x, real dy) {
        logistic at = logistic_at(widen(x));
        wide one_plus_e = wide_from(1.0) + at.e;
        return narrow(at.h * (at.h * (widen(dy) / (one_plus_e * one_plus_e))));
    }
};

struct silu {
    INLINE real value(real x) { return narrow(sigmoid_times(logistic_at(widen(x)), widen(x))); }
    INLINE real gradient(real x, real dy) {
        wide w = widen(x);
        logistic at = logistic_at(w);
        wide one_plus_e = wide_from(1.0) + at.e;
        wide scaled = widen(dy) / (one_plus_e * one_plus_e);
        return narrow(at.non_negative ? scaled * (one_plus_e + w * at.e) : at.h * (at.h * (scaled * (one_plus_e + w))));
    }
};

#define FORMULA_OF_ONE(name)                                                                                           \
    KERNEL name##_values(index count, real *y, const real *x) {                                                        \
        EACH(i, count) y[i] = name::value(x[i]);                                                                       \
    }                                                                                                                  \
    KERNEL name##_gradient(index count, real *dx, const real *read, const real *dy) {                                  \
        EACH(i, count) dx[i] = name::gradient(read[i], dy[i]);                                                         \
    }

FORMULA_OF_ONE(relu)
FORMULA_OF_ONE(relu6)
FORMULA_OF_ONE(sigmoid)
FORMULA_OF_ONE(silu)

// Of two inputs a and b, which broadcast against each other. `other` is the input that is not differentiated by; a
// derivative that READS nothing is given none.
struct add {
    static const bool READS = false;
    INLINE real value(real a, real b) { return a + b; }
    template <class T> INLINE T gradient(T other, T dy) { return dy; }
};

struct mul {
    static const bool READS = true;
    INLINE real value(real a, real b) { return a * b; }
    template <class T> INLINE T gradient(T other, T dy) { return dy * other; }
};

// The walk's arrays: a, b. y is row-major.
template <class F> INLINE void values_of_two(const walk &axes, index count, real *y, const real *a, const real *b) {
    EACH(i, count) {
        places at = places_of(axes, i);
        y[i] = F::value(a[at.of[0]], b[at.of[1]]);
    }
}

// Where no axis repeats for the input: array 0 of the walk is `other`, and dx lies as dy does.
template <class F>
INLINE void gradient_of_two(const walk &axes, index count, real *dx, const real *other, const real *dy) {
    EACH(i, count) {
        real read = 0;
        if (F::READS) read = other[places_of(axes, i).of[0]];
        dx[i] = F::gradient(read, dy[i]);
    }
}

// Where axes repeat: dx is the sum over them, in the wide type; `kept` and `repeated` walk dy and `other`, and of `steps`
// there is one at least. Sums are one within another: the innermost runs over the repeated axis that is the first of
// dy's, which is the fastest of `repeated`.
template <class F>
INLINE void summed_gradient_of_two(const walk &kept, const walk &repeated, index steps, index count, real *dx,
                                   const real *other, const real *dy) {
    EACH(i, count) {
        places start = places_of(kept, i);
        wide sums[AXES];
#pragma unroll
        for (int axis = 0; axis < AXES; axis++) sums[axis] = wide_from(0.0);
        index at = 0;
        DO {
            places place = places_of(repeated, at);
            wide read = wide_from(0.0);
            if (F::READS) read = widen(other[start.of[1] + place.of[1]]);
            sums[AXES - 1] = sums[AXES - 1] + F::gradient(read, widen(dy[start.of[0] + place.of[0]]));
            // A sum that is complete is added to that around it.
            at++;
            index complete = at;
            bool carries = true;
#pragma unroll
            for (int axis = AXES - 1; axis > 0; axis--) {
                carries = carries && complete % repeated.count[axis] == 0;
                if (carries) {
                    complete /= repeated.count[axis];
                    sums[axis - 1] = sums[axis - 1] + sums[axis];
                    sums[axis] = wide_from(0.0);
                }
            }
        } while (at < steps);
        dx[i] = narrow(sums[0]);
    }
}

#define FORMULA_OF_TWO(name)                                                                                           \
    KERNEL name##_values(walk axes, index count, real *y, const real *a, const real *b) {                              \
        values_of_two<name>(axes, count, y, a, b);                                                                     \
    }                                                                                                                  \
    KERNEL name##_gradient(walk axes, index count, real *dx, const real *other, const real *dy) {                      \
        gradient_of_two<name>(axes, count, dx, other, dy);                                                             \
    }                                                                                                                  \
    KERNEL name##_summed_gradient(walk kept, walk repeated, index steps, index count, real *dx, const real *other,     \
                                  const real *dy) {                                                                    \
        summed_gradient_of_two<name>(kept, repeated, steps, count, dx, other, dy);                                     \
    }

FORMULA_OF_TWO(add)
FORMULA_OF_TWO(mul)

// x / keep_probability where the mask keeps, 0 elsewhere.
KERNEL dropout(index count, real *y, const real *x, const flag *mask, double keep_hi, double keep_lo) {
    wide keep_probability = wide_from(keep_hi, keep_lo);
    EACH(i, count) y[i] = mask[i] ? narrow(widen(x[i]) / keep_probability) : 0;
}

KERNEL add_to(index count, real *sum, const real *term) {
    EACH(i, count) sum[i] = sum[i] + term[i];
}
