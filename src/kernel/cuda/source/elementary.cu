// Elementary functions: the algorithms of the `libm` crate (FreeBSD's msun) for double, and those of
// src/scalar/double_double/elementary.rs for double_double, operation by operation; so that the bits are the CPU's,
// and no instruction's that approximates.
//
// ====================================================
// Of exponential(double) and logarithm_of_one_plus(double):
// Copyright (C) 1993, 2004 by Sun Microsystems, Inc. All rights reserved.
// Permission to use, copy, modify, and distribute this software is freely granted, provided that this notice is
// preserved.
// ====================================================

INLINE int high_word(double x) { return (int)(bits_of(x) >> 32); }

// e^x.
INLINE double exponential(double x) {
    const double LN2_HI = 6.93147180369123816490e-01, LN2_LO = 1.90821492927058770002e-10;
    const double INVERSE_LN2 = 1.44269504088896338700e+00;
    const double P1 = 1.66666666666666019037e-01, P2 = -2.77777777770155933842e-03, P3 = 6.61375632143793436117e-05;
    const double P4 = -1.65339022054652515390e-06, P5 = 4.13813679705723846039e-08;
    int hx = high_word(x) & 0x7fffffff;
    bool negative = high_word(x) < 0;
    if (hx >= 0x4086232b) { // |x| >= 708.39
        if (is_nan(x)) return x;
        if (x > 709.782712893383973096) return infinity();
        if (x < -745.13321910194110842) return 0.0;
    }
    int k = 0;
    double hi = x, lo = 0.0;
    if (hx > 0x3fd62e42) { // |x| > 0.5 ln 2
        k = hx >= 0x3ff0a2b2 ? (int)(INVERSE_LN2 * x + (negative ? -0.5 : 0.5)) : (negative ? -1 : 1);
        hi = x - k * LN2_HI; // exact
        lo = k * LN2_LO;
        x = hi - lo;
    } else if (hx <= 0x3e300000) { // |x| <= 2^-28
        return 1.0 + x;
    }
    double xx = x * x;
    double c = x - xx * (P1 + xx * (P2 + xx * (P3 + xx * (P4 + xx * P5))));
    double y = 1.0 + (x * c / (2.0 - c) - lo + hi);
    return k == 0 ? y : scale(y, k);
}

// ln(1 + x).
INLINE double logarithm_of_one_plus(double x) {
    const double LN2_HI = 6.93147180369123816490e-01, LN2_LO = 1.90821492927058770002e-10;
    const double LG1 = 6.666666666666735130e-01, LG2 = 3.999999999940941908e-01, LG3 = 2.857142874366239149e-01;
    const double LG4 = 2.222219843214978396e-01, LG5 = 1.818357216161805012e-01, LG6 = 1.531383769920937332e-01;
    const double LG7 = 1.479819860511658591e-01;
    unsigned int hx = (unsigned int)high_word(x);
    int k = 1;
    double f = 0.0, c = 0.0;
    if (hx < 0x3fda827aU || hx >> 31 != 0) { // 1 + x < sqrt(2)
        if (hx >= 0xbff00000U) return x == -1.0 ? -infinity() : not_a_number();
        if (hx << 1 < 0x3ca00000U << 1) return x; // |x| < 2^-53
        if (hx <= 0xbfd2bec4U) { // 1 + x > sqrt(2) / 2
            k = 0;
            f = x;
        }
    } else if (hx >= 0x7ff00000U) {
        return x;
    }
    if (k > 0) {
        double u = 1.0 + x;
        unsigned int hu = (unsigned int)high_word(u) + (0x3ff00000U - 0x3fe6a09eU);
        k = (int)(hu >> 20) - 0x3ff;
        // About log(1 + x) - log(u).
        c = k >= 54 ? 0.0 : (k >= 2 ? 1.0 - (u - x) : x - (u - 1.0)) / u;
        hu = (hu & 0x000fffffU) + 0x3fe6a09eU;
        f = from_bits((bits64)hu << 32 | (bits_of(u) & 0xffffffffULL)) - 1.0;
    }
    double hfsq = 0.5 * f * f;
    double s = f / (2.0 + f);
    double z = s * s;
    double w = z * z;
    double t1 = w * (LG2 + w * (LG4 + w * LG6));
    double t2 = z * (LG1 + w * (LG3 + w * (LG5 + w * LG7)));
    double r = t2 + t1;
    double dk = k;
    return s * (hfsq + r) + (dk * LN2_LO + c) - hfsq + f + dk * LN2_HI;
}

// a b + c, in range.
INLINE double_double series_step(double_double a, double_double b, double_double c) {
    return sum_in_range(product_in_range(a, b), c);
}

// e^x - 1 for |x| <= 1: the Taylor series at x/16, then four times e^2r - 1 = 2s + s^2. From 2^-110 on everything is in
// range, and no sum is 0.
INLINE double_double exponential_minus_one_by_series(double_double x) {
    if (magnitude(x.hi) < power_of_two(-110)) return x;
    double_double r = dd(scale(x.hi, -4), scale(x.lo, -4));
    double tail = 0.0; // 1/n! for n = 16 to 10
    tail = tail * r.hi + 4.779477332387385e-14;
    tail = tail * r.hi + 7.647163731819816e-13;
    tail = tail * r.hi + 1.1470745597729725e-11;
    tail = tail * r.hi + 1.6059043836821613e-10;
    tail = tail * r.hi + 2.08767569878681e-09;
    tail = tail * r.hi + 2.505210838544172e-08;
    tail = tail * r.hi + 2.755731922398589e-07;
    double_double series = dd(tail); // 1/n! for n = 9 to 2
    series = series_step(series, r, dd(2.7557319223985893e-06, -1.858393274046472e-22));
    series = series_step(series, r, dd(2.48015873015873e-05, 2.1511947866775882e-23));
    series = series_step(series, r, dd(0.0001984126984126984, 1.7209558293420705e-22));
    series = series_step(series, r, dd(0.001388888888888889, -5.300543954373577e-20));
    series = series_step(series, r, dd(0.008333333333333333, 1.1564823173178714e-19));
    series = series_step(series, r, dd(0.041666666666666664, 2.3129646346357427e-18));
    series = series_step(series, r, dd(0.16666666666666666, 9.25185853854297e-18));
    series = series_step(series, r, dd(0.5, 0.0));
    double_double s = series_step(r, product_in_range(r, series), r);
#pragma unroll 1
    for (int i = 0; i < 4; i++) s = series_step(s, s, dd(2.0 * s.hi, 2.0 * s.lo));
    return s;
}

INLINE double_double exponential(double_double x) {
    if (is_nan(x.hi)) return x;
    if (x.hi >= 710.0) return dd(infinity());
    if (x.hi <= -746.0) return dd(0.0);
    double k = floor(x.hi * 1.44269504088896340736 + 0.5);
    double_double r = x - dd(k * 0.6931471805592082);
    r = r - dd(k * 7.371002565161996e-13);
    r = r - dd(k * 5.8029889835956905e-25);
    return scaled(exponential_minus_one_by_series(r) + dd(1.0), (int)k);
}

// ln(1 + y) for y from -0.29 to 0.41: one Newton step from the double's logarithm, to second order.
INLINE double_double logarithm_of_one_plus_by_newton(double_double y) {
    if (magnitude(y.hi) < power_of_two(-110)) return y;
    double_double z = dd(logarithm_of_one_plus(y.hi));
    double_double inverse_minus_one = exponential_minus_one_by_series(-z);
    double_double t = (y + inverse_minus_one) + y * inverse_minus_one;
    return z + (t - dd(0.5 * t.hi * t.hi));
}

// k ln 2 + ln m with x = 2^k m, for x = 1 + y beyond the range of Newton's step: m - 1 lies within it.
INLINE double_double logarithm_of_one_plus(double_double y) {
    if (y.hi >= -0.29 && y.hi <= 0.41) return logarithm_of_one_plus_by_newton(y);
    double_double x = y + dd(1.0);
    if (x.hi == 0.0) return dd(-infinity());
    if (x.hi < 0.0) return dd(not_a_number());
    if (!is_finite(x.hi)) return x;
    int k = exponent(x.hi);
    if (scaled(x, -k).hi > 1.41421356237309504880) k += 1;
    double_double ln_m = logarithm_of_one_plus_by_newton(scaled(x, -k) - dd(1.0));
    if (k == 0) return ln_m;
    return times(dd(0.69314718055994530942, 2.3190468138462996e-17), (double)k) + ln_m;
}
