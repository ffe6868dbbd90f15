"""The update that set, rigl and granet share: in every layer some weights are dropped and as many grown elsewhere."""

import numpy as np
import shared


def grow(kept, active, growth):
    """As many as were dropped, of largest growth score, among all that were not kept: a weight may come right back."""
    mask = {}
    for p in kept:
        went = int(active[p].sum()) - int(kept[p].sum())
        mask[p] = kept[p] | shared.keep_largest(growth[p], went, ~kept[p])
    return mask


def apply(between, momentum, mask_before, mask):
    """Active before and now: weight and momentum stay, bit for bit. Newly grown, and inactive: both are 0."""
    weights, v = dict(between), dict(momentum)
    for p in mask:
        stays = mask_before[p] & mask[p]
        weights[p] = np.where(stays, between[p], 0)
        v[p] = np.where(stays, momentum[p], 0)
    return weights, v
