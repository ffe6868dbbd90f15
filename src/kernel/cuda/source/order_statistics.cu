// The value of a rank, by radix selection: its key is found digit by digit, from the highest on, and each time the
// values whose key begins so are counted by their next digit. Keys are in the order of IEEE's total order, so that key
// and value are one and the same: the bits are those of sorting.

#define DIGIT 8 // bits

// What is known of the key so far, and its rank among the values whose key begins so.
struct search {
    bits64 key, rank;
};

// All bits are turned where `first` is 0, or the first one alone where it is 1.
INLINE key turned(key bits, key first) { return bits ^ ((first - 1) | (key)1 << (REAL_BITS - 1)); }

INLINE key key_of(real x) {
    key bits = bits_of(x);
    return turned(bits, ~bits >> (REAL_BITS - 1));
}

INLINE real value_of(key of) {
    key bits = turned(of, of >> (REAL_BITS - 1));
#if REAL_BITS == 32
    return __uint_as_float(bits);
#else
    return from_bits(bits);
#endif
}

// The least place, or what *place is already, of a value that is not finite.
KERNEL first_infinite(index count, const real *x, bits64 *place) {
    EACH(i, count) {
        if (!is_finite(x[i])) atomicMin(place, (bits64)i);
    }
}

// Adds to counts [256] how many values have each digit, `shift` bits up, among those whose higher digits are the key's.
// A block counts its own in shared memory first.
KERNEL count_digits(index count, bits64 *counts, const search *found, unsigned int shift, const real *x) {
    __shared__ unsigned int of_block[1 << DIGIT];
    of_block[threadIdx.x] = 0;
    __syncthreads();
    // Two shifts: one by all the bits there are would be none.
    bits64 prefix = found->key >> shift >> DIGIT;
    EACH(i, count) {
        bits64 of = key_of(x[i]);
        if (of >> shift >> DIGIT == prefix) atomicAdd(&of_block[of >> shift & ((1 << DIGIT) - 1)], 1U);
    }
    __syncthreads();
    if (of_block[threadIdx.x] != 0) atomicAdd(&counts[threadIdx.x], (bits64)of_block[threadIdx.x]);
}

// The digit that has the rank becomes the key's next; counts become 0 again. One block, whose first thread searches.
KERNEL choose_digit(bits64 *counts, search *found, unsigned int shift) {
    __shared__ bits64 seen[1 << DIGIT];
    seen[threadIdx.x] = counts[threadIdx.x];
    counts[threadIdx.x] = 0;
    __syncthreads();
    if (threadIdx.x == 0) {
        bits64 rank = found->rank;
        int digit = 0;
        while (digit < (1 << DIGIT) - 1 && rank >= seen[digit]) rank -= seen[digit++];
        found->key |= (bits64)digit << shift;
        found->rank = rank;
    }
}

// How many values have the key, and the least key above it.
struct following {
    bits64 equal, above;
};

KERNEL look_above(index count, following *next, const search *found, const real *x) {
    EACH(i, count) {
        bits64 of = key_of(x[i]);
        if (of == found->key) atomicAdd(&next->equal, 1ULL);
        if (of > found->key) atomicMin(&next->above, of);
    }
}

// The value of the rank, and the next one: the same again, or the least above. One block, whose first thread does it.
KERNEL value_of_rank(real *values, const search *found, const following *next) {
    if (threadIdx.x == 0) {
        values[0] = value_of((key)found->key);
        values[1] = value_of((key)(found->rank + 1 < next->equal ? found->key : next->above));
    }
}
