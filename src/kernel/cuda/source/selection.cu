// Which weights lie below a threshold, which live, and what becomes of them.

KERNEL below(index count, flag *flags, const real *x, real threshold) {
    EACH(i, count) flags[i] = x[i] < threshold;
}

KERNEL hold(index count, real *x, const flag *alive) {
    EACH(i, count) {
        if (!alive[i]) x[i] = 0;
    }
}

// Those that live, in order, in three steps: how many there are in each stretch of entries; where each stretch's begin;
// and there they are. There is a stretch, and none of them is empty.
#define STRETCH 256

KERNEL count_living(index stretches, index count, bits64 *counts, const flag *alive) {
    EACH(stretch, stretches) {
        index i = stretch * STRETCH, end = min(i + STRETCH, count);
        bits64 living = 0;
        DO {
            living += alive[i];
            i++;
        } while (i < end);
        counts[stretch] = living;
    }
}

// Each count becomes the sum of those before it, and *all the sum of all; one block, whose threads bring a tile of counts
// into shared memory, where the first thread adds.
KERNEL add_up(index stretches, bits64 *counts, bits64 *all) {
    __shared__ bits64 tile[THREADS];
    bits64 sum = 0;
    index start = 0;
    DO {
        index terms = min(stretches - start, (index)THREADS);
        if (threadIdx.x < terms) tile[threadIdx.x] = counts[start + threadIdx.x];
        __syncthreads();
        if (threadIdx.x == 0) {
            LOOP (index i = 0; i < terms; i++) {
                bits64 next = sum + tile[i];
                tile[i] = sum;
                sum = next;
            }
        }
        __syncthreads();
        // Each thread has the same place in the next tile.
        if (threadIdx.x < terms) counts[start + threadIdx.x] = tile[threadIdx.x];
        start += THREADS;
    } while (start < stretches);
    if (threadIdx.x == 0) *all = sum;
}

KERNEL living(index stretches, index count, real *values, const bits64 *starts, const real *x, const flag *alive) {
    EACH(stretch, stretches) {
        index i = stretch * STRETCH, end = min(i + STRETCH, count);
        bits64 next = starts[stretch];
        DO {
            if (alive[i]) values[next++] = x[i];
            i++;
        } while (i < end);
    }
}

// Lines 3 to 7 of Alg. 6: what lives and is selected becomes w* lambda^t, what is then below eps becomes 0 and dies.
// `rewind` is w*, or null where it is the weights themselves; lambda^t is the product of three wide factors; counts
// [2] are of those that were rewound, and eliminated.
KERNEL rewind_decay(index count, real *w, const real *rewind, const flag *selected, flag *alive, double first_hi,
                    double first_lo, double second_hi, double second_lo, double third_hi, double third_lo, double eps,
                    unsigned int of_all, bits64 *counts) {
    wide first_factor = wide_from(first_hi, first_lo), second_factor = wide_from(second_hi, second_lo);
    wide third_factor = wide_from(third_hi, third_lo);
    EACH(i, count) {
        real w_star = rewind == 0 ? w[i] : rewind[i];
        real decayed = narrow(widen(w_star) * first_factor * second_factor * third_factor);
        real becomes = selected[i] ? decayed : w[i];
        bool judged = selected[i] || of_all;
        bool kept = alive[i] && (!judged || widen(magnitude(becomes)) >= wide_from(eps));
        if (alive[i] && selected[i]) atomicAdd(&counts[0], 1ULL);
        if (alive[i] && !kept) atomicAdd(&counts[1], 1ULL);
        w[i] = kept ? becomes : 0;
        alive[i] = kept;
    }
}

// The least place, or what *place is already, of a living weight of which rewind_decay would read what is not finite.
KERNEL first_not_finite(index count, const real *w, const real *rewind, const flag *selected, const flag *alive,
                        bits64 *place) {
    EACH(i, count) {
        real read = selected[i] && rewind != 0 ? rewind[i] : w[i];
        if (alive[i] && !is_finite(read)) atomicMin(place, (bits64)i);
    }
}

// What is made of a value: x, |x| or x^2.
INLINE wide term_of(unsigned int term, real x) {
    if (term == 2) return widen(x) * widen(x);
    return widen(term == 1 ? magnitude(x) : x);
}

// start + the terms of all values, from the first to the last; one block.
KERNEL sum(index count, stored_wide *sum, double start_hi, double start_lo, unsigned int term, const real *x) {
    wide start = wide_from(start_hi, start_lo);
    wide total = sum_in_order_from(start, count, [&](index i) { return term_of(term, x[i]); });
    if (threadIdx.x == 0) store(sum, total);
}

// Groups of entries: `members` are the places of all entries, group by group and ascending, `starts` [groups + 1] where
// each group's begin.

// The maximum (term 3) or the sum of terms of the counted entries of each group, in order, and how many there are.
KERNEL group_totals(index groups, stored_wide *totals, bits64 *counts, unsigned int term, const real *x,
                    const flag *counted, const bits64 *members, const bits64 *starts) {
    EACH(group, groups) {
        wide total = wide_from(0.0);
        bits64 seen = 0;
        LOOP (bits64 at = starts[group]; at < starts[group + 1]; at++) {
            bits64 i = members[at];
            if (!counted[i]) continue;
            if (term == 3) {
                wide next = widen(x[i]);
                bool unordered = is_nan(total) || is_nan(next);
                wide larger = unordered ? total + next : (total >= next ? total : next);
                total = seen == 0 ? next : larger;
            } else {
                total = total + term_of(term, x[i]);
            }
            seen++;
        }
        store(&totals[group], total);
        counts[group] = seen;
    }
}

// Whether an entry comes before another: the dead first, then the least, then the earlier.
INLINE bool comes_before(const real *x, const flag *alive, bits64 a, bits64 b) {
    if (alive[a] != alive[b]) return alive[b];
    if (x[a] < x[b]) return true;
    return !(x[b] < x[a]) && a < b;
}

// A flag for all but `keep` entries of each group, those that come first.
KERNEL least_of_groups(index count, flag *least, const real *x, const flag *alive, const bits64 *ids,
                       const bits64 *members, const bits64 *starts, index keep) {
    EACH(i, count) {
        bits64 start = starts[ids[i]], end = starts[ids[i] + 1];
        index before = 0;
        LOOP (bits64 at = start; at < end; at++) before += comes_before(x, alive, members[at], (bits64)i);
        least[i] = before < (index)(end - start) - keep;
    }
}

// Of flags alone, and so in one of the two modules.
#if REAL_BITS == 32

KERNEL hold_flags(index count, flag *flags, const flag *alive) {
    EACH(i, count) flags[i] = flags[i] && alive[i];
}

KERNEL flags_of_groups(index count, flag *flags, const flag *of_groups, const bits64 *ids) {
    EACH(i, count) flags[i] = of_groups[ids[i]];
}

#endif
