"""GraSP (Wang et al. 2020): before training, the weights whose removal helps the gradient flow most go."""

import numpy as np
import shared
from recorder import Recorder

HYPER = {"sparsity": 0.8}
TEMPERATURE = 200.0


def hessian_gradient(weights, x, labels):
    """H g over the prunable weights, of the loss of logits / 200: by a central difference along g, in f64."""
    w = {p: a.astype(np.float64) for p, a in weights.items()}
    last = list(shared.LAYERS)[-1]

    def gradients(w):
        scaled = w | {f"{last}.{kind}": w[f"{last}.{kind}"] / TEMPERATURE for kind in ("weight", "bias")}
        _, grads = shared.loss_and_gradients(scaled, x.astype(np.float64), labels)
        return grads | {f"{last}.{kind}": grads[f"{last}.{kind}"] / TEMPERATURE for kind in ("weight", "bias")}

    g = gradients(w)
    size = np.sqrt(sum(float((g[p] ** 2).sum()) for p in shared.PRUNABLE))
    eps = 1e-4 / size
    ahead, behind = (gradients({p: a + sign * eps * g[p] if p in shared.PRUNABLE else a for p, a in w.items()})
                     for sign in (1, -1))
    return {p: ((ahead[p] - behind[p]) / (2 * eps)).astype(np.float32) for p in shared.PRUNABLE}


def train(data, rng):
    weights = shared.initialise(rng)
    w = {p: weights[p] for p in shared.PRUNABLE}
    trace = Recorder("grasp", HYPER, shared.PRUNABLE)
    Hg = hessian_gradient(weights, data.train_x[:250], data.train_y[:250])
    trace.step(0, weights_before=w, hessian_gradient=Hg)

    k = shared.remove_floor(sum(x.size for x in w.values()), HYPER["sparsity"])  # count
    score = {p: -w[p] * Hg[p] for p in w}  # score: S
    mask = shared.keep_largest_of_all({p: -S for p, S in score.items()}, k)  # mask: the largest S go
    pruned = {p: np.where(mask[p], w[p], 0) for p in w}  # weights
    trace.step(0, keep=k, score=score, mask=mask, weights_after=pruned)
    return trace
