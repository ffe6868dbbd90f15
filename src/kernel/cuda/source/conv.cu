// Convolution and its two adjoints: a thread makes an element, its sum in Literal's order. Padding contributes no term.

// x [n,channels,height,width], w [outputs,channels/groups,kh,kw], y [n,outputs,oh,ow]; pairs are vertical, horizontal.
struct convolution {
    index n, channels, height, width, outputs, kh, kw, oh, ow, groups;
    index stride[2], padding[2], dilation[2];
};

// The input's row or column that a tap reads at an output.
INLINE index input_at(const convolution &of, int axis, index output, index tap) {
    return output * of.stride[axis] + tap * of.dilation[axis] - of.padding[axis];
}

// The output at which a tap reads this row or column; -1 where there is none.
INLINE index output_at(const convolution &of, int axis, index input, index tap) {
    index strides = input + of.padding[axis] - tap * of.dilation[axis];
    index outputs = axis == 0 ? of.oh : of.ow;
    if (strides < 0 || strides % of.stride[axis] != 0 || strides / of.stride[axis] >= outputs) return -1;
    return strides / of.stride[axis];
}

// y[n,o,oy,ox] = bias[o] + sum_c sum_ky sum_kx w[o,c,ky,kx] x[n,c,iy,ix], each ascending; c runs over o's group.
KERNEL conv2d(convolution of, index count, real *y, const real *x, const real *w, const real *bias) {
    index channels = of.channels / of.groups;
    EACH(i, count) {
        index ox = i % of.ow, oy = i / of.ow % of.oh, o = i / (of.ow * of.oh) % of.outputs;
        index image = i / (of.ow * of.oh * of.outputs);
        index first_channel = o / (of.outputs / of.groups) * channels;
        wide sum = wide_from(0.0);
        if (bias != 0) sum = widen(bias[o]);
        LOOP (index c = 0; c < channels; c++) {
            const real *plane = x + (image * of.channels + first_channel + c) * of.height * of.width;
            const real *taps = w + (o * channels + c) * of.kh * of.kw;
            LOOP (index ky = 0; ky < of.kh; ky++) {
                index iy = input_at(of, 0, oy, ky);
                if (iy < 0 || iy >= of.height) continue;
                LOOP (index kx = 0; kx < of.kw; kx++) {
                    index ix = input_at(of, 1, ox, kx);
                    if (ix < 0 || ix >= of.width) continue;
                    sum = add_product(sum, taps[ky * of.kw + kx], plane[iy * of.width + ix]);
                }
            }
        }
        y[i] = narrow(sum);
    }
}

// dx[n,c,iy,ix] = sum_o sum_ky sum_kx w[o,c,ky,kx] dy[n,o,oy,ox], each ascending, over the outputs whose tap reads
// (iy, ix); o runs over c's group.
KERNEL conv2d_input_gradient(convolution of, index count, real *dx, const real *dy, const real *w) {
    index channels = of.channels / of.groups, outputs = of.outputs / of.groups;
    EACH(i, count) {
        index ix = i % of.width, iy = i / of.width % of.height, c = i / (of.width * of.height) % of.channels;
        index image = i / (of.width * of.height * of.channels);
        index first_output = c / channels * outputs;
        wide sum = wide_from(0.0);
        LOOP (index o = first_output; o < first_output + outputs; o++) {
            const real *plane = dy + (image * of.outputs + o) * of.oh * of.ow;
            const real *taps = w + (o * channels + c % channels) * of.kh * of.kw;
            LOOP (index ky = 0; ky < of.kh; ky++) {
                index oy = output_at(of, 0, iy, ky);
                if (oy < 0) continue;
                LOOP (index kx = 0; kx < of.kw; kx++) {
                    index ox = output_at(of, 1, ix, kx);
                    if (ox < 0) continue;
                    sum = add_product(sum, taps[ky * of.kw + kx], plane[oy * of.ow + ox]);
                }
            }
        }
        dx[i] = narrow(sum);
    }
}

// dw[o,c,ky,kx] = sum_n sum_oy sum_ox x[n,c,iy,ix] dy[n,o,oy,ox], each ascending.
KERNEL conv2d_weight_gradient(convolution of, index count, real *dw, const real *x, const real *dy) {
    index channels = of.channels / of.groups;
    EACH(i, count) {
        index kx = i % of.kw, ky = i / of.kw % of.kh, c = i / (of.kw * of.kh) % channels;
        index o = i / (of.kw * of.kh * channels);
        index channel = o / (of.outputs / of.groups) * channels + c;
        wide sum = wide_from(0.0);
        LOOP (index image = 0; image < of.n; image++) {
            const real *plane = x + (image * of.channels + channel) * of.height * of.width;
            const real *of_output = dy + (image * of.outputs + o) * of.oh * of.ow;
            LOOP (index oy = 0; oy < of.oh; oy++) {
                index iy = input_at(of, 0, oy, ky);
                if (iy < 0 || iy >= of.height) continue;
                LOOP (index ox = 0; ox < of.ow; ox++) {
                    index ix = input_at(of, 1, ox, kx);
                    if (ix < 0 || ix >= of.width) continue;
                    sum = add_product(sum, plane[iy * of.width + ix], of_output[oy * of.ow + ox]);
                }
            }
        }
        dw[i] = narrow(sum);
    }
}

// The dense weight, 0 so far, gets the living entries: values [nnz] at these places.
KERNEL scatter(index nnz, real *dense, const real *values, const bits64 *places) {
    EACH(i, nnz) dense[places[i]] = values[i];
}

// The living entries of a dense weight.
KERNEL gather(index nnz, real *values, const real *dense, const bits64 *places) {
    EACH(i, nnz) values[i] = dense[places[i]];
}
