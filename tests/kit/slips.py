"""Planted slips: for each method its names, the label that must be found first, and words that name it."""

from dataclasses import dataclass, field
from typing import Any, Callable


@dataclass
class Slip:
    label: str
    words: tuple[str, ...]  # one of them must be in `likely_cause`
    hyper: dict[str, Any] = field(default_factory=dict)
    reading: dict[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()  # hyper-parameters that are left out
    data: str | None = None
    alters: Callable | None = None
    found: str | None = None  # the label at which it must be found, if own operands make that another one


def slip(label, words, reading=None, hyper=None, without=(), data=None, alters=None, found=None):
    return Slip(label, tuple(words.split("|")), hyper or {}, reading or {}, without, data, alters, found)


def with_biases(setting, rng):
    if not setting.others:
        setting.others = {"first.bias": (4,), "last.bias": (5,)}


def exempt_biases(setting, rng):
    with_biases(setting, rng)
    setting.no_decay = list(setting.others)


def with_nesterov(setting, rng):
    setting.nesterov = True


MU = {"momentum": 0.9}
WD = {"weight_decay": 0.125}
EXACT = {"cut": "exact"}
DYADIC = {"momentum": 0.0, "lr": 0.5, "weight_decay": 0.0}  # so that nothing rounds
BY_INDEX = EXACT | {"ties": "lower-index"}
OPTIMIZER = {
    "no-weight-decay": slip("step", "weight decay|weight_decay", hyper=WD),
    "biases-not-decayed": slip("step", "weight decay|weight_decay|decay", hyper=WD, alters=with_biases),
    "decays-all": slip("step", "weight decay|weight_decay|decay", hyper=WD, alters=exempt_biases),
    "decoupled-decay": slip("momentum", "decoupled|decay", hyper=WD | MU),
    "dampened": slip("step", "dampen", hyper=MU),
    "nesterov": slip("step", "nesterov", hyper=MU),
    "not-nesterov": slip("step", "not nesterov", hyper=MU, alters=with_nesterov),
    "gradient-ascent": slip("step", "sign|ascent|negat"),
    "biases-not-stepped": slip("step", "not stepped|no step|not updated|unchanged|did not move", alters=with_biases),
    "step-scaled-velocity": slip("momentum", "learning rate|eta|lr|times what", hyper=MU),
    "lr-of-next": slip("step", "learning rate|lr|0.75|factor", hyper={"momentum": 0.5}),
    "momentum-forgotten": slip("carry", "momentum|carry|changed between|step before", hyper=MU),
    "weights-rounded": slip("carry", "rounded|changed between|carry|step before|bfloat16|half|precision"),
}
MASKED = {
    "momentum-not-masked": slip("momentum", "mask|inactive", {"inactive_momentum": "zero"}, MU),
    "momentum-decays": slip("momentum", "mask|inactive|decay", {"inactive_momentum": "dense"}, MU),
    "step-revives": slip("step", "mask|reviv|inactive", {"inactive_momentum": "dense"}, MU),
    "weights-leak": slip("carry", "mask|0|inactive|step before|carry"),
    "mask-of-weights": slip("carry", "mask|carry|step before"),
}
COUNTS = {
    "count-one-more": slip("count", "one more|off by one|k + 1|k+1|one fewer|`count` ="),
    "count-one-fewer": slip("count", "one fewer|one less|off by one|k - 1|k-1|one more|`count` ="),
    "count-floor": slip("count", "round|floor|ceil", {"minimum": "0"}),
    "count-round": slip("count", "round|floor|ceil", {"minimum": "0"}),
    "share-for-rest": slip("count", "share|1 - s|kept for|keeps|density|sparsity|those that go"),
}
ERK_SLIPS = {
    "erk-for-er": slip("distribution", "er", {"distribution": "erk"}),
    "erk-not-redistributed": slip("distribution", "redistribut|dense", {"distribution": "erk"}, data=None,
                                  hyper={"sparsity": 0.31}),
    "uniform-for-erk": slip("distribution", "uniform", {"distribution": "erk"}),
    "erk-forgets-dense": slip("distribution", "", {"distribution": "erk"}),
}
START = {
    "init-one-more": slip("init", "one more|off by one|k + 1|k+1|fewer"),
    "init-over-all": slip("init", "global|layer"),
    "start-unmasked": slip("carry", "mask|init|start"),
    "init-by-magnitude": slip("init", "magnitude|draw||w||weights"),
}
SCORES = {
    "score-signed": slip("score", "abs|sign|magnitude"),
    "score-by-layer": slip("score", "layer|normal|max|"),
}
CLOCK = {
    "clock-early": slip("when", "clock|off by one|one step|early|late|t + 1"),
    "clock-late": slip("when", "clock|off by one|one step|early|late|t - 1|index"),
    "value-early": slip("schedule", "clock|off by one|t + 1|one step|c + 1"),
    "value-late": slip("schedule", "clock|off by one|t - 1|one step|c - 1|index"),
    "other-grid": slip("when", "grid|multiple|from-start|start|origin"),
    "never-ends": slip("when", "end"),
    "starts-at-once": slip("when", "start"),
    "every-longer": slip("when", "every|D|due|"),
}


def odd_start(setting, rng):
    """`update_start` where both grids differ, and the end is one of both."""
    D = setting.hyper["update_every"] = 3
    setting.hyper |= {"update_start": 2, "update_end": 2 + 3 * D}
    if "total_steps" in setting.hyper:
        setting.hyper["total_steps"] = 30
    setting.steps = list(range(16))


def end_on_grid(setting, rng):
    """As `odd_start`, with an update where the gradual pruning ends."""
    odd_start(setting, rng)
    if setting.reading.get("update_grid", "multiples") == "multiples":
        setting.hyper["update_end"] = 9


CLOCK = {name: Slip(**(vars(s) | {"alters": odd_start})) for name, s in CLOCK.items()}
EVERY = {"momentum-reset": slip("momentum", "reset|clear|0", hyper=MU)}

PORTS = {}
PORTS["dropback"] = OPTIMIZER | {
    "count-one-more": slip("count", "one more|off by one|k + 1|k+1"),
    "count-one-fewer": slip("count", "one fewer|off by one|k - 1|k-1|one less"),
    "count-floor": slip("count", "round|floor|ceil", {"count": "keep-round"}, {"sparsity": 0.77}, ("tracked",)),
    "share-for-rest": slip("count", "share|1 - s|kept|those that go", None, {"sparsity": 0.77}, ("tracked",)),
    "one-more-kept": slip("track", "one more|k + 1|k+1|off by one", EXACT),
    "one-fewer-kept": slip("track", "one fewer|one less|k - 1|above-kth|off by one", EXACT),
    "smallest-kept": slip("track", "smallest|largest|min|invert", EXACT),
    "mask-inverted": slip("track", "invert|untracked|smallest", EXACT),
    "layers-for-global": slip("track", "layer", EXACT),
    "ties-other-way": slip("track", "tie|index", BY_INDEX, DYADIC, data="grid"),
    "once-tracked-stays": slip("track", "stay|before|once|", EXACT),
    "frozen-late": slip("track", "freez|froz", EXACT, {"freeze_step": 3}),
    "frozen-early": slip("track", "freez|froz|does not change", EXACT, {"freeze_step": 3}),
    "never-frozen": slip("track", "freez|froz", EXACT, {"freeze_step": 3}),
    "step-of-tracked": slip("step", "mask|tracked", hyper=MU),
    "score-signed": slip("score", "abs|sign"),
    "score-magnitude": slip("score", "magnitude||w||between|w0"),
    "score-last-move": slip("score", "before|step|w0|last", {"score": "distance"}),
    "score-before-step": slip("score", "before", {"score": "distance"}),
    "score-squared": slip("score", "squar"),
    "score-relative": slip("score", ""),
    "sum-without-rate": slip("score", "eta|learning rate|lr", {"score": "accumulated"}),
    "old-sums-scored": slip("score", "tracked|always|old|forgotten|a + eta g", {"score": "accumulated",
                                                                                    "accumulate": "always"}),
    "accumulates-otherwise": slip("accumulate", "always|tracked", {"score": "accumulated"}),
    "sums-forgotten": slip("accumulate", "0|zero|reset|forgot", {"score": "accumulated"}),
    "sum-negated": slip("accumulate", "sign|negat|-1", {"score": "accumulated"}),
    "sums-of-untracked": slip("accumulate", "untracked|invert|mask", {"score": "accumulated", "accumulate": "tracked"}),
    "reset-to-zero": slip("reset", "0"),
    "reset-to-last": slip("reset", "before|last"),
    "not-reset": slip("reset", "not reset|between|kept"),
    "reset-halfway": slip("reset", ""),
    "biases-reset": slip("reset", "prunable|reset|w0|bias|initial", alters=with_biases),
    "momentum-cleared": slip("momentum", "untracked|mask|clear|0", hyper=MU),
    "w0-aliased": slip("score", "alias|before", {"score": "distance"}),
    "tracked-decays": slip("reset", "decay|", hyper=WD),
}
PORTS["procrustes"] = {k: v for k, v in PORTS["dropback"].items() if "froz" not in k} | {
    "lambda-other-clock": slip("schedule", "t + 1|t+1|clock|index|exponent|lambda"),
    "lambda-by-epoch": slip("schedule", "lambda|exponent|"),
    "lambda-linear": slip("schedule", "linear|"),
    "reset-later-lambda": slip("reset", "lambda|exponent", {"score": "accumulated"}),
    "reset-undecayed": slip("reset", "undecayed|w0|not decayed|lambda"),
    "reset-decays-weight": slip("reset", "between|current|own|lambda"),
    "quantile-of-kept": slip("quantile", "q|1 - q", {"select": "dumique"}),
    "quantile-other-start": slip("quantile", "restart|carry|start", {"select": "dumique"}),
    "quantile-other-order": slip("quantile", "order|first|last", {"select": "dumique"}, found="track"),
    "quantile-steps-swapped": slip("quantile", "swap|q", {"select": "dumique"}),
    "quantile-additive": slip("quantile", "q|", {"select": "dumique"}),
    "quantile-wrong-way": slip("quantile", "wrong|direction|swap|sign", {"select": "dumique"}),
    "tracked-below": slip("track", "below|invert|<", {"select": "dumique"}, found="quantile"),
}
for name in ("one-more-kept", "one-fewer-kept", "smallest-kept", "mask-inverted", "layers-for-global",
             "ties-other-way"):
    PORTS["procrustes"][name] = Slip(**(vars(PORTS["procrustes"][name]) | {"reading": BY_INDEX | {"select": "sort"}}))

SELECTS = {
    "one-more-kept": slip("mask", "one more|k + 1|k+1|off by one|from-next", EXACT),
    "one-fewer-kept": slip("mask", "one fewer|one less|k - 1|above-kth|off by one", EXACT),
    "smallest-kept": slip("mask", "smallest|largest|min|invert", EXACT),
    "mask-inverted": slip("mask", "invert|smallest|pruned|wrong", EXACT),
}
GLOBAL = {"layers-for-global": slip("mask", "layer", EXACT | {"distribution": "global"})}
UNIFORM = {"global-for-layers": slip("mask", "global|over W|all layers", EXACT | {"distribution": "uniform"})}
PORTS["lth"] = COUNTS | SELECTS | GLOBAL | UNIFORM | SCORES | {
    "count-of-all": slip("count", "all|remaining|active|N|total"),
    "score-of-rewind": slip("score", "rewind|w_k"),
    "score-moved": slip("score", "rewind|moved|distance|change"),
    "pruned-return": slip("mask", "pruned|return|resurrect|reviv|grow|again", EXACT),
    "rewound-to-init": slip("rewind", "w_0|init|W0"),
    "not-rewound": slip("rewind", "not rewound|before|trained"),
    "not-masked": slip("rewind", "mask"),
    "masked-by-old": slip("rewind", "mask"),
    "biases-not-rewound": slip("rewind", "not rewound|before|trained|prunable", alters=with_biases),
    "biases-to-init": slip("rewind", "init|w_0", alters=with_biases),
    "signs-alone": slip("rewind", "sign|abs|"),
    "momentum-kept": slip("momentum", "kept|momentum|0|reset|fresh"),
    "mask-of-weights": slip("carry", "mask|carry|step before|level"),
    "mask-forgotten": slip("carry", "mask|carry|step before|level|1"),
}
BEFORE = COUNTS | SELECTS | GLOBAL | UNIFORM | ERK_SLIPS | {
    "count-of-all": slip("count", "layer|all|N", {"distribution": "uniform"}),
    "not-masked": slip("weights", "mask"),
    "one-layer-unmasked": slip("weights", "mask|layer"),
    "weights-rescaled": slip("weights", "scal|factor|2|twice"),
    "weights-absolute": slip("weights", "abs|sign|"),
    "score-by-layer": slip("score", "layer|normal|"),
    "ties-other-way": slip("mask", "tie|index", BY_INDEX, data="grid"),
}
PORTS["snip"] = BEFORE | {
    "score-signed": slip("score", "abs|sign"),
    "score-gradient": slip("score", "gradient||g||without w"),
    "score-weight": slip("score", "magnitude||w||weight"),
    "score-squared": slip("score", "squar"),
    "score-gradient-squared": slip("score", "squar|g^2|"),
    "score-after-step": slip("score", "step|"),
    "fresh-ignored": slip("weights", "fresh", {"initial_weights": "fresh"}),
    "fresh-undeclared": slip("weights", "fresh|new|drawn", {"initial_weights": "same"}),
}
PORTS["grasp"] = BEFORE | {
    "sign-of-score": slip("score", "sign"),
    "score-absolute": slip("score", "abs|sign"),
    "score-gradient": slip("score", "without w|weight|h g|hg|hessian"),
    "score-weight": slip("score", "magnitude||w|"),
    "score-squared": slip("score", ""),
    "score-hessian-squared": slip("score", ""),
    "smallest-go": slip("mask", "smallest|largest|sign", EXACT),
    "by-size-of-score": slip("mask", "abs||S||size|magnitude", EXACT),
}
PORTS["grasp"].pop("smallest-kept")
PORTS["gmp"] = OPTIMIZER | MASKED | COUNTS | SELECTS | GLOBAL | UNIFORM | SCORES | CLOCK | EVERY | {
    "other-end": Slip("when", ("end", "exclusive", "inclusive"), alters=odd_start),
    "cubic-without-origin": slip("schedule", "origin|t_0|start", alters=odd_start),
    "cubic-over-end": slip("schedule", "t_end|t_1|t1|end", alters=odd_start),
    "ends-swapped": slip("schedule", "swap|exchang"),
    "from-zero": slip("schedule", "s_i|initial|0"),
    "linear": slip("schedule", "linear|power|exponent"),
    "quadratic": slip("schedule", "quadratic|square|power|exponent"),
    "count-of-active": slip("count", "active|remaining"),
    "above-active": slip("count", "active"),
    "score-before-step": slip("score", "before"),
    "score-gradient": slip("score", "gradient|g w|"),
    "pruned-return": slip("mask", "pruned|return|resurrect|reviv|inactive|all", EXACT),
    "mask-moves-early": slip("when", "mask|not due|updated|between"),
    "not-masked": slip("weights", "mask"),
    "survivors-rescaled": slip("weights", "scal|factor|2|twice"),
    "survivors-before-step": slip("weights", "before|step"),
    "dropped-keep-momentum": slip("momentum", "dropped|pruned|mask|kept|inactive", {"inactive_momentum": "zero"}, MU),
}
PORTS["acdc"] = OPTIMIZER | {k: v for k, v in MASKED.items() if k != "weights-leak"} | COUNTS | SELECTS | GLOBAL | \
    UNIFORM | SCORES | {
    "phase-late": slip("when", "late|one step|off by one|clock"),
    "phase-early": slip("when", "early|one step|off by one|clock"),
    "never-decompresses": slip("when", "decompress"),
    "compresses-again": slip("when", "compress|due"),
    "score-gradient": slip("score", "gradient|g w|"),
    "score-after-step": slip("score", "step"),
    "stays-masked": slip("mask", "decompress|1|dense"),
    "one-layer-stays": slip("mask", "decompress|1|dense|layer"),
    "not-masked": slip("weights", "mask"),
    "restores-old": slip("weights", "old|restor|before|compress"),
    "restores-drawn": slip("weights", "0|draw|restor"),
    "decompressed-keep-momentum": slip("step", "momentum|decompress", {"decompress_momentum": "zero"}, MU),
    "biases-keep-momentum": slip("step", "momentum|decompress|bias|prunable", {"decompress_momentum": "zero"}, MU,
                                 alters=with_biases),
    "compression-resets-momentum": slip("step", "momentum|compress", {"inactive_momentum": "zero"}, MU),
    "step-under-old-mask": slip("step", "mask", {"inactive_momentum": "zero"}),
    "dropped-keep-momentum": slip("momentum", "dropped|pruned|mask|kept|inactive", {"inactive_momentum": "zero"}, MU),
}
DROPS = {k: Slip(**(vars(v) | {"label": "drop"})) for k, v in SELECTS.items() if k != "mask-inverted"}
GROWS = OPTIMIZER | MASKED | COUNTS | DROPS | SCORES | CLOCK | EVERY | ERK_SLIPS | START | {
    "other-end": Slip("when", ("end", "exclusive", "inclusive"), alters=odd_start),
    "mask-moves-early": slip("when", "mask|not due|updated|between"),
    "count-of-all": slip("count", "active|all|n_l|size"),
    "score-before-step": slip("score", "before", {"update_order": "after-step"}),
    "score-gradient": slip("score", "gradient||g|"),
    "score-taylor": slip("score", "g w|gradient|"),
    "score-squared": slip("score", "squar"),
    "grow-from-other": slip("grow", "dropped|before|again|grow_from|inactive"),
    "grow-among-all": slip("grow", "all|active"),
    "grow-smallest": slip("grow", "smallest|largest"),
    "grow-by-weight": slip("grow", "magnitude||w||weight"),
    "grow-first": slip("grow", "first|index|order"),
    "grow-one-more": slip("grow", "one more|off by one|number|count"),
    "grow-one-fewer": slip("grow", "one fewer|one less|off by one|number|count"),
    "grow-none": slip("grow", "none|nothing|no growth|not grown|0"),
    "grow-over-layers": slip("grow", "layer|global|over W"),
    "regrown-otherwise": slip("weights", "regrown|dropped and grown|as-grown|keep"),
    "grown-at-random": slip("weights", "draw|random|0", {"grown_weights": "zero"}),
    "grown-along-gradient": slip("weights", "gradient|", {"grown_weights": "zero"}),
    "dropped-keep-weights": slip("weights", "drop|mask|0"),
    "survivors-rescaled": slip("weights", "scal|factor|2|twice"),
    "weights-of-kept-alone": slip("weights", "grown|kept|regrown|0|fresh"),
    "biases-zeroed": slip("weights", "prunable|0|bias", alters=with_biases),
    "grown-momentum-otherwise": slip("momentum", "grown", hyper=MU, reading={"update_order": "after-step"}),
    "dropped-momentum-otherwise": slip("momentum", "drop|inactive|mask", hyper=MU),
    "momentum-decays-at-update": slip("momentum", "decay|factor|half|0.5|", hyper=MU),
    "step-at-update": slip("step", "update_order|instead|after-step|skip|sgd"),
    "ties-other-way": slip("drop", "tie|index", BY_INDEX, DYADIC, data="grid"),
}
def not_signed(table):
    """Of set's: slips in one selection by layer need the drop by magnitude."""
    return {k: Slip(**(vars(v) | {"reading": v.reading | {"drop_rule": "magnitude"}})) for k, v in table.items()}


PORTS["set"] = GROWS | not_signed({k: GROWS[k] for k in ("count-of-all", "smallest-kept", "one-more-kept",
                                                         "one-fewer-kept", "ties-other-way")}) | {
    "fraction-halved": slip("schedule", "half|halv|2|factor"),
    "fraction-falls": slip("schedule", "anneal|fall|constant|"),
    "fraction-of-rest": slip("schedule", "1 - "),
    "fraction-stale": slip("schedule", "default|"),
    "drop-by-magnitude": slip("drop", "magnitude", {"drop_rule": "signed"}),
    "drop-by-sign": slip("drop", "sign", {"drop_rule": "magnitude"}),
    "zero-is-negative": slip("count", "zero|0|sign", {"drop_rule": "signed", "grown_weights": "zero"},
                             hyper={"zeta": 0.37, "momentum": 0.0, "lr": 0.5, "weight_decay": 0.0}, data="grid"),
    "positive-alone": slip("count", "sign|positive|negative", {"drop_rule": "signed"}),
    "negative-furthest": slip("drop", "negative|furthest|smallest|sign", {"drop_rule": "signed"}),
    "one-more-positive": slip("drop", "one more|positive|sign", {"drop_rule": "signed"}),
    "grow-by-gradient": slip("grow", "gradient||g|"),
    "init-by-product": slip("init", "product|epsilon|n_out|", hyper={"er_epsilon": 0.5}),
    "init-without-epsilon": slip("init", "epsilon|", hyper={"er_epsilon": 1}),
}
for name in ("erk-for-er", "erk-not-redistributed", "uniform-for-erk", "erk-forgets-dense"):
    PORTS["set"][name] = Slip(**(vars(PORTS["set"][name]) | {"without": ("er_epsilon",), "hyper": {"sparsity": 0.4}}))
PORTS["set"]["erk-not-redistributed"].hyper = {"sparsity": 0.21}
for name in ("value-early", "value-late"):
    PORTS["set"].pop(name)
PORTS["set"] = {name: Slip(**(vars(s) | {"reading": {k: v for k, v in s.reading.items() if k != "cut"}}))
                for name, s in PORTS["set"].items()}  # it has no cut
PORTS["rigl"] = GROWS | {
    "cosine-not-halved": slip("schedule", "half|halv|2|factor"),
    "cosine-from-start": slip("schedule", "origin|t_0|start", {"drop_schedule": "cosine"}),
    "cosine-longer": slip("schedule", "t_end|T|", {"drop_schedule": "cosine"}),
    "fraction-otherwise": slip("schedule", "constant|cosine|power|anneal"),
    "fraction-linear": slip("schedule", "linear|power", {"drop_schedule": "cosine"}),
    "grow-signed": slip("grow", "sign|abs"),
    "grow-negative": slip("grow", "sign|negative|abs"),
    "grow-masked-gradient": slip("grow", "mask"),
    "grow-with-decay": slip("grow", "decay|weight|"),
    "grow-at-random": slip("grow", "random|draw"),
}
for name in ("value-early", "value-late"):
    PORTS["rigl"][name] = Slip(**(vars(PORTS["rigl"][name]) | {"reading": {"drop_schedule": "cosine"}}))
PORTS["granet"] = GROWS | {
    "cosine-to-zero": slip("schedule", "min|0", hyper={"regrow_min": 0.1}),
    "cosine-to-update-end": slip("schedule", "update_end|t_1|total", hyper={"total_steps": 40}),
    "fraction-constant": slip("schedule", "constant|anneal"),
    "cosine-from-start": slip("schedule", "origin|t_0|start", alters=odd_start),
    "fraction-linear": slip("schedule", "linear"),
    "cubic-without-origin": slip("schedule", "origin|t_0|start", alters=odd_start),
    "cubic-over-end": slip("schedule", "t_end|t_1|t1|end", alters=odd_start),
    "cubic-over-all": slip("schedule", "total|t_1|end", alters=odd_start),
    "from-zero": slip("schedule", "s_i|initial|0"),
    "linear": slip("schedule", "linear"),
    "updates-end": slip("when", "end", alters=odd_start),
    "other-end": slip("prune", "end|exclusive|inclusive", alters=end_on_grid),
    "prunes-on": slip("prune", "end|after|t_1", alters=end_on_grid),
    "pruned-otherwise": slip("prune", "global|layer|uniform", EXACT),
    "prune-of-active": slip("prune", "active|remaining"),
    "prune-one-more": slip("prune", "one more|one fewer|off by one|k - 1|one less"),
    "prune-by-gradient": slip("prune", ""),
    "prune-largest": slip("prune", "smallest|largest", EXACT),
    "prune-among-all": slip("prune", "inactive|active|return|resurrect|all|grow", EXACT),
    "grow-signed": slip("grow", "sign|abs"),
    "grow-masked-gradient": slip("grow", "mask"),
    "grow-at-random": slip("grow", "random|draw"),
}
for name in ("one-more-kept", "one-fewer-kept", "smallest-kept"):
    PORTS["granet"][name] = Slip(**(vars(PORTS["granet"][name]) | {"label": "prune"}))
for name in ("never-ends", "count-one-more", "count-one-fewer", "count-floor", "count-round", "share-for-rest"):
    PORTS["granet"].pop(name)
PORTS["granet"] |= {k: Slip(**(vars(v) | {"label": "init"})) for k, v in COUNTS.items()}
PORTS["granet"]["ties-other-way"] = slip("init", "tie|index", BY_INDEX, data="grid")
for method in ("set", "rigl"):  # the counts of the start are wrong too, and come first
    for name in COUNTS:
        PORTS[method][name] = Slip(**(vars(PORTS[method][name]) | {"label": "init"}))
    PORTS[method]["ties-other-way"] = slip("init", "tie|index", {"ties": "lower-index"}, data="grid")
PORTS["topkast"] = OPTIMIZER | COUNTS | {
    "due-late": slip("when", "late|one step|due|clock", hyper={"update_every": 3}),
    "always-due": slip("when", "every|due|step", hyper={"update_every": 3}),
    "due-once": slip("when", "once|due|every", hyper={"update_every": 2}),
    "backward-of-forward": slip("count", "forward"),
    "counts-swapped": slip("count", "swap"),
    "one-more-kept": slip("forward", "one more|k + 1|k+1|off by one", EXACT),
    "one-fewer-kept": slip("forward", "one fewer|one less|k - 1|off by one", EXACT),
    "smallest-kept": slip("forward", "smallest|largest", EXACT),
    "chosen-after-step": slip("forward", "step|after", EXACT),
    "largest-signed": slip("forward", "sign|abs", EXACT),
    "largest-by-layer": slip("forward", "layer|normal|", EXACT | {"distribution": "global"}),
    "largest-active": slip("forward", "active|mask|sticky|", EXACT),
    "layers-for-global": slip("forward", "layer", EXACT | {"distribution": "global"}),
    "global-for-layers": slip("forward", "global|over W", EXACT | {"distribution": "uniform"}),
    "backward-is-forward": slip("backward", "forward"),
    "backward-all": slip("backward", "all|dense"),
    "backward-without-forward": slip("backward", "forward|without|outside"),
    "backward-by-gradient": slip("backward", "gradient|"),
    "penalty-otherwise": slip("step", "l1|l2"),
    "penalty-of-backward": slip("step", "backward|d ="),
    "penalty-times": slip("step", "times|divided|d"),
    "penalty-alike": slip("step", "d|divided|same|alike"),
    "penalty-outside-alone": slip("step", "penalty"),
    "no-penalty": slip("step", "penalty"),
    "penalty-divided-everywhere": slip("step", "d|divided|everywhere"),
    "penalty-doubled": slip("step", "factor|2|twice|doubl"),
    "moves-everywhere": slip("step", "outside|mask|backward|b"),
    "moves-forward-alone": slip("step", "forward|a alone|backward"),
    "decays-outside": slip("step", "outside|decay"),
    "zero-outside": slip("step", "outside|0|mask"),
    "momentum-outside-kept": slip("momentum", "outside|kept|mask", hyper=MU),
    "momentum-outside-decays": slip("momentum", "outside|decay|mask", hyper=MU),
    "momentum-outside-dense": slip("momentum", "outside|dense|mask", hyper=MU),
}


def from_candidate_0(setting, rng):
    setting.steps[0] = 0


PORTS["lmc"] = {
    "grid-otherwise": slip("grid", "interval|points"),
    "grid-shifted": slip("grid", "shift|origin|i + 1|"),
    "grid-reversed": slip("grid", "revers|1 - "),
    "grid-midpoints": slip("grid", "mid|"),
    "grid-squared": slip("grid", ""),
    "interpolated-other-way": slip("interpolate", "2-to-1|1-to-2|swap|revers"),
    "interpolated-rescaled": slip("interpolate", ""),
    "interpolated-square": slip("interpolate", ""),
    "interpolation-adds": slip("interpolate", "1 - |add"),
    "one-layer-of-first": slip("interpolate", "theta_1|first|not interpolated"),
    "interpolated-signs": slip("interpolate", "abs|sign|"),
    "score-inner": slip("score", "inner|end|without"),
    "score-over-intervals": slip("score", "interval|points - 1|n - 1|divi"),
    "score-largest": slip("score", "max|largest"),
    "score-of-error": slip("score", "error"),
    "score-trapezium": slip("score", "trapez"),
    "score-summed": slip("score", "sum"),
    "score-middle": slip("score", "middle|half|midpoint"),
    "score-excess": slip("score", "end|barrier|minus"),
    "barrier-of-other": slip("barrier", "loss|error"),
    "barrier-of-mean": slip("barrier", "mean"),
    "barrier-above-least": slip("barrier", "least|min|smaller|lower"),
    "barrier-above-largest": slip("barrier", "largest|max|larger|higher"),
    "barrier-middle": slip("barrier", "middle|half|midpoint"),
    "barrier-above-first": slip("barrier", "first"),
    "barrier-range": slip("barrier", "min|range"),
    "argmin-last": slip("argmin", "tie|last|larger", data="grid"),
    "argmax": slip("argmin", "max|largest"),
    "argmin-index": slip("argmin", "index|position"),
    "argmin-of-barrier": slip("argmin", "barrier"),
    "argmin-skips-first": slip("argmin", "first|"),
    "stable-first": slip("stable", "first|every"),
    "stable-strict": slip("stable", ""),
    "stable-last": slip("stable", "last|"),
    "never-stable-zero": slip("stable", "0|-1|none|never", alters=from_candidate_0),
    "stable-index": slip("stable", "index|position"),
}
MAXNORM = {"rescale": "maxnorm"}
PORTS["sdgp"] = {
    "groups-otherwise": slip("select", "channel|memory|group"),
    "groups-over-batch": slip("select", "batch|group"),
    "groups-strided": slip("select", "strid|consecutive|group"),
    "picks-otherwise": slip("select", "random|magnitude|draw"),
    "picks-signed": slip("select", "abs|sign", {"pick": "magnitude"}),
    "picks-smallest": slip("select", "smallest|largest"),
    "one-fewer": slip("select", "one fewer|one less|m - 1|off by one"),
    "one-more": slip("select", "one more|m + 1|off by one"),
    "drops-keep": slip("select", "keep|drop", hyper={"keep": 1, "group": 4}),
    "over-layer": slip("select", "layer|whole|global|group"),
    "remainder-otherwise": slip("select", "remainder|short|last group"),
    "scale-otherwise": slip("scale", "maxnorm|rescale|none|scal"),
    "scale-over-channels": slip("scale", "channel|sum", MAXNORM),
    "scale-without-epsilon": slip("scale", "1e-4|epsilon|", MAXNORM),
    "scale-inverted": slip("scale", "invert|", MAXNORM),
    "scale-signed": slip("scale", "abs|sign", MAXNORM),
    "scale-squared": slip("scale", "squar|norm", MAXNORM),
    "scale-by-share": slip("scale", "n / m|n/m|factor|2"),
    "scale-halves": slip("scale", "factor|half|0.5|2"),
    "weight-gradient-of-pruned": slip("weight_gradient", "y|pruned"),
    "weight-gradient-mean": slip("weight_gradient", "batch|mean|factor"),
    "weight-gradient-of-first": slip("weight_gradient", "batch|first|"),
    "weight-gradient-of-dropped": slip("weight_gradient", ""),
    "data-gradient-of-dense": slip("data_gradient", "x|dense|unpruned|not pruned"),
    "data-gradient-unscaled": slip("data_gradient", "scal", MAXNORM),
    "data-gradient-of-dropped": slip("data_gradient", "drop|invert|"),
    "data-gradient-pruned": slip("data_gradient", ""),
    "data-gradient-mean": slip("data_gradient", "batch|mean|factor"),
}
PORTS["layerdrop"] = {
    "active-below": slip("active", "invert|below|<|p kept|1 - p"),
    "active-at-border": slip("active", "=|border|equal|u_i = p", data="grid"),
    "all-droppable": slip("active", "droppable"),
    "rate-for-rest": slip("active", "1 - p", hyper={"p": 0.25}),
    "rate-by-depth": slip("active", "depth|"),
    "one-draw-for-all": slip("active", "one draw|same|first"),
    "draws-shifted": slip("active", "shift|next|order|"),
    "first-always": slip("active", "first|"),
    "never-dropped": slip("active", "never|none|evaluation|all"),
    "droppable-inverted": slip("active", "droppable|invert"),
    "at-most-one": slip("active", ""),
    "rest-dropped": slip("active", "rest|depth|"),
    "last-always": slip("active", "last|"),
    "depth-otherwise": slip("kept_layers", "origin|0|1"),
    "every-ceil": slip("kept_layers", "ceil|floor|round"),
    "every-off-by-one": slip("kept_layers", "off by one|one more|"),
    "keeps-every": slip("kept_layers", "invert|keep|kept"),
    "last-go": slip("kept_layers", "last|"),
    "first-go": slip("kept_layers", "first|"),
    "prunes-all": slip("kept_layers", "droppable"),
    "depth-of-droppable": slip("kept_layers", "droppable|depth"),
}
PORTS["amc"] = {
    "others-at-one": slip("clip", "lower|1|later|others"),
    "output-at-lower": slip("clip", "output|r_l|last"),
    "as-allowed": slip("clip", "achieved|allowed|round", hyper={"channel_round": 8}),
    "first-clipped": slip("clip", "first|a_0|1"),
    "this-of-one-side": slip("clip", "previous|input|before|f_(l-1)|one side|layer"),
    "buffers-forgotten": slip("clip", "buffer"),
    "budget-of-removed": slip("clip", "1 - preserve|preserve"),
    "budget-without-buffers": slip("clip", "buffer"),
    "lower-first": slip("clip", "lower|order", hyper={"preserve": 0.2, "lower": 0.3}),
    "not-clipped": slip("clip", "budget|clip|action"),
    "no-lower": slip("clip", "lower", hyper={"preserve": 0.3, "lower": 0.3}),
    "all-rounded": slip("count", "a = 1|whole|first|round|"),
    "count-ceil": slip("count", "ceil|round|floor", hyper={"channel_round": 1}),
    "count-floor": slip("count", "floor|round|ceil", hyper={"channel_round": 1}),
    "round-down": slip("count", "up|down|multiple"),
    "round-nearest": slip("count", "up|nearest|multiple"),
    "not-rounded": slip("count", "multiple|channel_round|not rounded"),
    "rounded-above": slip("count", "above|c|more than|multiple", hyper={"lower": 0.9, "preserve": 1.0}),
    "whole-if-above": slip("count", "down|c|multiple", hyper={"lower": 0.9, "preserve": 1.0}),
    "down-to-zero": slip("count", "0|all|none", hyper={"channel_round": 64}),
    "count-one-more": slip("count", "one more|off by one"),
    "count-one-fewer": slip("count", "one fewer|one less|off by one"),
    "score-of-outputs": slip("score", "output|axis"),
    "score-squared": slip("score", "squar|l2"),
    "score-signed": slip("score", "abs|sign"),
    "score-largest": slip("score", "max|largest"),
    "score-mean": slip("score", "mean|factor|"),
    "score-of-first-tap": slip("score", "first|"),
    "one-more-channel": slip("channels", "one more|off by one"),
    "one-fewer-channel": slip("channels", "one fewer|one less|off by one"),
    "smallest-channels": slip("channels", "smallest|largest"),
    "first-channels": slip("channels", "first|index"),
    "outputs-masked": slip("weights", "output|axis"),
    "weights-not-masked": slip("weights", "mask|not"),
    "weights-rescaled": slip("weights", "scal|factor|2|twice"),
    "first-layer-unmasked": slip("weights", "mask|layer|not"),
    "flops-as-allowed": slip("flops", "allowed|achieved", hyper={"channel_round": 8}),
    "flops-of-inputs": slip("flops", "output|r_{l+1}|next|inputs"),
    "flops-without-buffers": slip("flops", "buffer"),
    "flops-dense": slip("flops", "dense|unpruned"),
    "flops-share": slip("flops", "share|relative|factor|"),
    "reward-otherwise": slip("reward", "accuracy|error|rule"),
    "reward-negated": slip("reward", "sign|negat"),
    "reward-error": slip("reward", "error|"),
    "reward-percent": slip("reward", "percent|100|factor"),
}


def of(method):
    return PORTS[method]
