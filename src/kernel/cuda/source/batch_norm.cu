// Batch norm: what each channel is normalised by, and the gradients of that; x [n,c,pixels], all in the wide type, each
// result rounded once. Sums run in increasing order of image and pixel.

// What a channel is normalised by: mean = shift + offset, r = 1 / sqrt(variance + eps).
struct channel {
    stored_wide shift, offset, variance, inverse_deviation;
};

// dx = scale ((dy - mean_dy) shrink - c projection) + constant + c slope at c = x - mean.
struct backward {
    stored_wide scale, mean_dy, shrink, projection, constant, slope;
};

INLINE wide centred(const channel &of, real x) { return (widen(x) - load(&of.shift)) - load(&of.offset); }

// Where value i of a channel lies.
INLINE index value_at(index channels, index pixels, index channel, index i) {
    return (i / pixels * channels + channel) * pixels + i % pixels;
}

INLINE wide inverse_deviation(wide variance, double eps) {
    return wide_from(1.0) / square_root(variance + wide_from(eps));
}

// (1 - momentum) old + momentum new.
INLINE wide towards(double momentum, real old, wide next) {
    return (wide_from(1.0) - wide_from(momentum)) * widen(old) + wide_from(momentum) * next;
}

// The batch's statistics, and the running ones moved towards them; a block makes a channel.
KERNEL batch_norm_statistics(index n, index channels, index pixels, channel *statistics, const real *x, double eps,
                             double momentum, real *new_mean, real *new_variance, const real *mean,
                             const real *variance) {
    __shared__ channel now;
    index c = blockIdx.x;
    DO {
        index m = n * pixels;
        real shift = x[value_at(channels, pixels, c, 0)];
        wide sum = sum_in_order(m, [&](index i) { return widen(x[value_at(channels, pixels, c, i)]) - widen(shift); });
        if (threadIdx.x == 0) {
            store(&now.shift, widen(shift));
            store(&now.offset, sum / wide_count(m));
        }
        __syncthreads();
        wide squares = sum_in_order(m, [&](index i) {
            wide d = centred(now, x[value_at(channels, pixels, c, i)]);
            return d * d;
        });
        if (threadIdx.x == 0) {
            wide of_batch = squares / wide_count(m);
            wide unbiased = wide_count(m) / (wide_count(m) - wide_from(1.0));
            statistics[c].shift = now.shift;
            statistics[c].offset = now.offset;
            store(&statistics[c].variance, of_batch);
            store(&statistics[c].inverse_deviation, inverse_deviation(of_batch, eps));
            new_mean[c] = narrow(towards(momentum, mean[c], load(&now.shift) + load(&now.offset)));
            new_variance[c] = narrow(towards(momentum, variance[c], of_batch * unbiased));
        }
        c += gridDim.x;
    } while (c < channels);
}

// Statistics that are given.
KERNEL batch_norm_running(index channels, channel *statistics, const real *mean, const real *variance, double eps) {
    EACH(c, channels) {
        store(&statistics[c].shift, widen(mean[c]));
        store(&statistics[c].offset, wide_from(0.0));
        store(&statistics[c].variance, widen(variance[c]));
        store(&statistics[c].inverse_deviation, inverse_deviation(widen(variance[c]), eps));
    }
}

// y = weight (x - mean) r + bias.
KERNEL batch_norm_values(index count, index channels, index pixels, real *y, const real *x, const channel *statistics,
                         const real *weight, const real *bias) {
    EACH(i, count) {
        index c = i / pixels % channels;
        wide scale = widen(weight[c]) * load(&statistics[c].inverse_deviation);
        y[i] = narrow(centred(statistics[c], x[i]) * scale + widen(bias[c]));
    }
}

// What dx is made of, and the gradients of weight, bias, running mean and variance, each if it is not null; a block
// makes a channel. In training d_mean and d_variance are the upstream gradients of the updated statistics.
KERNEL batch_norm_sums(index n, index channels, index pixels, backward *made, const real *x, const real *dy,
                       const channel *statistics, const real *weight, double eps, double momentum,
                       unsigned int training, const real *d_mean, const real *d_variance, real *d_weight,
                       real *d_bias, real *d_old_mean, real *d_old_variance) {
    index c = blockIdx.x;
    DO {
        const channel &of = statistics[c];
        wide sum = sum_in_order(n * pixels, [&](index i) { return widen(dy[value_at(channels, pixels, c, i)]); });
        wide sum_centred = sum_in_order(n * pixels, [&](index i) {
            index at = value_at(channels, pixels, c, i);
            return widen(dy[at]) * centred(of, x[at]);
        });
        if (threadIdx.x != 0) continue;
        wide r = load(&of.inverse_deviation), zero = wide_from(0.0), one = wide_from(1.0), half = wide_from(0.5);
        wide m = wide_count(n * pixels), scale = widen(weight[c]) * r;
        wide shrink = one, projection = zero, mean_dy = zero, constant = zero, slope = zero;
        if (training) {
            wide move = wide_from(momentum);
            if (n * pixels == 2) {
                shrink = wide_from(eps) * (r * r);
            } else {
                projection = r * r * (sum_centred / m);
            }
            mean_dy = sum / m;
            constant = move * widen(d_mean[c]) / m;
            slope = move * widen(d_variance[c]) * wide_from(2.0) / (m - one);
        }
        store(&made[c].scale, scale);
        store(&made[c].mean_dy, mean_dy);
        store(&made[c].shrink, shrink);
        store(&made[c].projection, projection);
        store(&made[c].constant, constant);
        store(&made[c].slope, slope);
        if (d_weight != 0) d_weight[c] = narrow(r * sum_centred);
        if (d_bias != 0) d_bias[c] = narrow(sum);
        wide kept = one - wide_from(momentum);
        if (d_old_mean != 0) d_old_mean[c] = narrow(training ? kept * widen(d_mean[c]) : -(scale * sum));
        if (d_old_variance != 0) {
            d_old_variance[c] =
                narrow(training ? kept * widen(d_variance[c]) : -(scale * (r * r) * sum_centred * half));
        }
    } while ((c += gridDim.x) < channels);
}

KERNEL batch_norm_input_gradient(index count, index channels, index pixels, real *dx, const real *x, const real *dy,
                                 const channel *statistics, const backward *made) {
    EACH(i, count) {
        index at = i / pixels % channels;
        const backward &of = made[at];
        wide c = centred(statistics[at], x[i]);
        wide moved = (widen(dy[i]) - load(&of.mean_dy)) * load(&of.shrink) - c * load(&of.projection);
        dx[i] = narrow(load(&of.scale) * moved + (load(&of.constant) + c * load(&of.slope)));
    }
}
