// Arrays that are read along other axes than their own.

#define AXES 8

// Up to eight axes, the slowest first (those before them have one place), and how far apart their places lie in each of
// three arrays; 0 where an axis repeats what is there.
struct walk {
    index count[AXES];
    index stride[3][AXES];
};

struct places {
    index of[3];
};

// Where the i-th combination of places lies in each array.
INLINE places places_of(const walk &axes, index i) {
    places at = {{0, 0, 0}};
#pragma unroll
    for (int axis = AXES - 1; axis >= 0; axis--) {
        if (axes.count[axis] == 1) continue;
        index place = i % axes.count[axis];
        i /= axes.count[axis];
#pragma unroll
        for (int array = 0; array < 3; array++) at.of[array] += place * axes.stride[array][axis];
    }
    return at;
}

// to <- from: arrays 0 and 1 of the walk, from these places on. All moves are made of it.
KERNEL assign(walk axes, index count, real *to, index to_start, const real *from, index from_start) {
    EACH(i, count) {
        places at = places_of(axes, i);
        to[to_start + at.of[0]] = from[from_start + at.of[1]];
    }
}

KERNEL fill(index count, real *to, real value) {
    EACH(i, count) to[i] = value;
}
