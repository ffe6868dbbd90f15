// Pooling over planes of h x w pixels; a thread makes an element. Pairs are vertical, horizontal.

struct pooling {
    index extent[2]; // of a plane
    index count[2];  // of windows
    index kernel[2], stride[2], padding[2];
};

struct span {
    index start, end;
};

// The rows or columns under a window, padding cut off; never none.
INLINE span under(const pooling &of, int axis, index window) {
    index start = window * of.stride[axis] - of.padding[axis];
    span pixels = {max(start, (index)0), min(start + of.kernel[axis], of.extent[axis])};
    return pixels;
}

// The windows along an axis that are over a row or column.
INLINE span over(const pooling &of, int axis, index pixel) {
    index reach = pixel + of.padding[axis];
    index first = reach < of.kernel[axis] ? 0 : (reach - of.kernel[axis]) / of.stride[axis] + 1;
    span windows = {first, min(reach / of.stride[axis] + 1, of.count[axis])};
    return windows;
}

// The maximum over each window, and its position in the plane: of equals the first in row-major order; a NaN is larger
// than any number, and the last of several wins.
KERNEL max_pool2d(pooling of, index count, real *y, unsigned int *positions, const real *x) {
    EACH(i, count) {
        index windows = of.count[0] * of.count[1], window = i % windows;
        const real *plane = x + i / windows * of.extent[0] * of.extent[1];
        span rows = under(of, 0, window / of.count[1]), columns = under(of, 1, window % of.count[1]);
        index best_at = rows.start * of.extent[1] + columns.start;
        real best = plane[best_at];
        LOOP (index row = rows.start; row < rows.end; row++) {
            LOOP (index column = columns.start; column < columns.end; column++) {
                index at = row * of.extent[1] + column;
                real candidate = plane[at];
                bool first = row == rows.start && column == columns.start;
                if (!first && (candidate > best || candidate != candidate)) {
                    best = candidate;
                    best_at = at;
                }
            }
        }
        y[i] = best;
        positions[i] = (unsigned int)best_at;
    }
}

// dy goes to the pixels that were the maxima, summed, windows in row-major order.
KERNEL max_pool2d_gradient(pooling of, index count, real *dx, const real *dy, const unsigned int *positions) {
    EACH(i, count) {
        index pixels = of.extent[0] * of.extent[1], pixel = i % pixels;
        index plane = i / pixels * of.count[0] * of.count[1];
        span rows = over(of, 0, pixel / of.extent[1]), columns = over(of, 1, pixel % of.extent[1]);
        wide sum = wide_from(0.0);
        LOOP (index row = rows.start; row < rows.end; row++) {
            LOOP (index column = columns.start; column < columns.end; column++) {
                index window = plane + row * of.count[1] + column;
                if (positions[window] == pixel) sum = sum + widen(dy[window]);
            }
        }
        dx[i] = narrow(sum);
    }
}

// By what a window's sum is divided: the whole kernel, or the pixels under it.
INLINE wide divisor(const pooling &of, unsigned int count_padding, span rows, span columns) {
    if (count_padding) return wide_count(of.kernel[0]) * wide_count(of.kernel[1]);
    return wide_count((rows.end - rows.start) * (columns.end - columns.start));
}

// The mean over each window, pixels in row-major order.
KERNEL avg_pool2d(pooling of, unsigned int count_padding, index count, real *y, const real *x) {
    EACH(i, count) {
        index windows = of.count[0] * of.count[1], window = i % windows;
        const real *plane = x + i / windows * of.extent[0] * of.extent[1];
        span rows = under(of, 0, window / of.count[1]), columns = under(of, 1, window % of.count[1]);
        wide sum = wide_from(0.0);
        LOOP (index row = rows.start; row < rows.end; row++) {
            LOOP (index column = columns.start; column < columns.end; column++) {
                sum = sum + widen(plane[row * of.extent[1] + column]);
            }
        }
        y[i] = narrow(sum / divisor(of, count_padding, rows, columns));
    }
}

// Every pixel under a window gets its share of dy, summed, windows in row-major order.
KERNEL avg_pool2d_gradient(pooling of, unsigned int count_padding, index count, real *dx, const real *dy) {
    EACH(i, count) {
        index pixels = of.extent[0] * of.extent[1], pixel = i % pixels;
        const real *plane = dy + i / pixels * of.count[0] * of.count[1];
        span rows = over(of, 0, pixel / of.extent[1]), columns = over(of, 1, pixel % of.extent[1]);
        wide sum = wide_from(0.0);
        LOOP (index row = rows.start; row < rows.end; row++) {
            LOOP (index column = columns.start; column < columns.end; column++) {
                wide share = divisor(of, count_padding, under(of, 0, row), under(of, 1, column));
                sum = sum + widen(plane[row * of.count[1] + column]) / share;
            }
        }
        dx[i] = narrow(sum);
    }
}

// The mean of every plane, which has a pixel at least.
KERNEL plane_means(index planes, index pixels, real *y, const real *x) {
    EACH(plane, planes) {
        wide sum = wide_from(0.0);
        index pixel = 0;
        DO {
            sum = sum + widen(x[plane * pixels + pixel]);
            pixel++;
        } while (pixel < pixels);
        y[plane] = narrow(sum / wide_count(pixels));
    }
}

KERNEL plane_means_gradient(index count, index pixels, real *dx, const real *dy) {
    EACH(i, count) dx[i] = narrow(widen(dy[i / pixels]) / wide_count(pixels));
}
