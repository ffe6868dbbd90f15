// What the threads of a block do together.

// `sum` plus term(i) for i = 0, 1, .. count - 1, one after the other: the threads make the terms of a tile side by
// side, and the first thread adds them in their order. What it returns is the first thread's.
template <class Term> INLINE wide sum_in_order_from(wide sum, index count, Term term) {
    __shared__ stored_wide tile[THREADS];
    index start = 0;
    DO {
        index terms = min(count - start, (index)THREADS);
        if (threadIdx.x < terms) store(&tile[threadIdx.x], term(start + threadIdx.x));
        __syncthreads();
        if (threadIdx.x == 0) {
            LOOP (index i = 0; i < terms; i++) sum = sum + load(&tile[i]);
        }
        __syncthreads();
        start += THREADS;
    } while (start < count);
    return sum;
}

template <class Term> INLINE wide sum_in_order(index count, Term term) {
    return sum_in_order_from(wide_from(0.0), count, term);
}
