// The optimizer's step, entry by entry. *all_finite, 1 at first, becomes 0 where a gradient is not finite.

struct descent {
    real learning_rate, momentum, weight_decay;
};

// b <- momentum b + g, w <- w - learning_rate b, or as Nesterov's.
INLINE void descend(const descent &rule, unsigned int nesterov, real *w, real *b, real g) {
    *b = rule.momentum * *b + g;
    *w = *w - rule.learning_rate * (nesterov ? g + rule.momentum * *b : *b);
}

KERNEL sgd_step(index count, real *w, real *b, const real *g, real learning_rate, real momentum, real weight_decay,
                unsigned int nesterov, real *squares, unsigned int with_decay, const flag *alive,
                unsigned int dead_momentum, unsigned int *all_finite) {
    descent rule = {learning_rate, momentum, weight_decay};
    EACH(i, count) {
        real loss = g[i], next_w = w[i], next_b = b[i];
        if (!is_finite(loss)) atomicAnd(all_finite, 0U);
        real decayed = loss + rule.weight_decay * next_w;
        if (squares != 0) {
            real squared = with_decay ? decayed : loss;
            squares[i] = fused(squared, squared, squares[i]);
        }
        descend(rule, nesterov, &next_w, &next_b, decayed);
        bool lives = alive == 0 || alive[i] != 0;
        w[i] = lives ? next_w : 0;
        b[i] = lives || dead_momentum ? next_b : 0;
    }
}

// A step of the entries that move, with what draws them to 0; the others stay, without momentum. `inside` and `outside`
// are the strengths of what draws weights that are computed with, and others.
KERNEL drawn_step(index count, real *w, real *v, real *computed, const real *g, real learning_rate, real momentum,
                  real weight_decay, unsigned int nesterov, unsigned int by_sign, real inside, real outside,
                  const flag *mask, const flag *moves, unsigned int *all_finite) {
    descent rule = {learning_rate, momentum, weight_decay};
    EACH(i, count) {
        real next_w = w[i], next_v = v[i], gradient = g[i];
        if (moves[i] && !is_finite(gradient)) atomicAnd(all_finite, 0U);
        real size = next_w;
        if (by_sign) size = next_w > 0 ? 1 : (next_w < 0 ? -1 : 0);
        real pull = gradient + rule.weight_decay * next_w + (mask[i] ? inside : outside) * size;
        descend(rule, nesterov, &next_w, &next_v, pull);
        w[i] = moves[i] ? next_w : w[i];
        v[i] = moves[i] ? next_v : 0;
        if (mask[i]) computed[i] = w[i];
    }
}

// sum_j <- sum_j + g_j^2, rounded once.
KERNEL accumulate_squares(index count, real *sums, const real *g, unsigned int *all_finite) {
    EACH(i, count) {
        if (!is_finite(g[i])) atomicAnd(all_finite, 0U);
        sums[i] = fused(g[i], g[i], sums[i]);
    }
}
