// Cross entropy; a thread makes a row.

// A row of x relative to its first maximum M: h_j = e^((x_j - M) / 2) for each class; then r, the sum of h_j^2 over all
// but the maximum; then the row's loss. rows [n,classes + 2].
KERNEL cross_entropy_rows(index n, index classes, stored_wide *rows, const real *x, const bits64 *labels,
                          double smoothing) {
    EACH(i, n) {
        const real *logits = x + i * classes;
        stored_wide *row = rows + i * (classes + 2);
        index argmax = 0;
        LOOP (index j = 1; j < classes; j++) {
            if (logits[j] > logits[argmax]) argmax = j;
        }
        wide maximum = widen(logits[argmax]), others = wide_from(0.0), one = wide_from(1.0);
        LOOP (index j = 0; j < classes; j++) {
            wide h = exponential((widen(logits[j]) - maximum) * wide_from(0.5));
            store(&row[j], h);
            if (j != argmax) others = others + h * (h * one);
        }
        // 0 M is 0, but NaN for an infinite M, which has no softmax.
        others = others + wide_from(0.0) * maximum;
        // How far each class's logit is behind M, in proportion to its share of the target.
        wide behind = maximum - widen(logits[labels[i]]);
        if (smoothing > 0.0) {
            wide even = wide_from(smoothing) / wide_count(classes), of_all = wide_from(0.0);
            LOOP (index j = 0; j < classes; j++) of_all = of_all + (maximum - widen(logits[j]));
            behind = (one - wide_from(smoothing)) * behind + even * of_all;
        }
        store(&row[classes], others);
        store(&row[classes + 1], behind + logarithm_of_one_plus(others));
    }
}

// The mean of the rows' losses, in their order; one block.
KERNEL cross_entropy_mean(index n, index classes, real *loss, const stored_wide *rows) {
    wide sum = sum_in_order(n, [&](index i) { return load(&rows[i * (classes + 2) + classes + 1]); });
    if (threadIdx.x == 0) *loss = narrow(sum / wide_count(n));
}

// dx = dy (p - target) / n, where p_j is h_j^2 / (1 + r).
KERNEL cross_entropy_gradient(index n, index classes, real *dx, const stored_wide *rows, const bits64 *labels,
                              double smoothing, const real *dy) {
    EACH(i, n) {
        const stored_wide *row = rows + i * (classes + 2);
        wide of_one = widen(*dy), count = wide_count(n), even = wide_from(0.0), sum = wide_from(0.0);
        if (smoothing > 0.0) even = wide_from(smoothing) / wide_count(classes) * (of_one / count);
        wide scale = of_one / (count * (wide_from(1.0) + load(&row[classes])));
        // There is a class at least: the label's.
        index label = (index)labels[i], j = 0;
        DO {
            wide h = load(&row[j]);
            wide p = h * (h * scale);
            if (j != label) sum = sum + p;
            dx[i * classes + j] = narrow(smoothing > 0.0 ? p - even : p);
            j++;
        } while (j < classes);
        // Of the label the sum over the others is taken, which does not cancel.
        dx[i * classes + label] = narrow(smoothing > 0.0 ? wide_count(classes - 1) * even - sum : -sum);
    }
}
