//! [`Slip`]: known mistakes, each a small change of the rules under which a step can be judged again.

use super::rules::Rules;
use crate::choice::Choice;
use crate::method::options::{Domain, Part, Value};
use crate::select::cut::Ties;

/// Defines the known mistakes, with what they are called in findings.
macro_rules! slips {
    ($($(#[$doc:meta])* $Slip:ident = $told:literal),+ $(,)?) => {
        /// A mistake that ports are known to make.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Slip {
            $($(#[$doc])* $Slip),+
        }

        impl Slip {
            const ALL: &[Self] = &[$(Self::$Slip),+];

            fn told(self) -> &'static str {
                match self { $(Self::$Slip => $told),+ }
            }
        }
    };
}

slips! {
    // ---- operands and schedules
    UpdateEarlier = "updates are a step early: the clock counts otherwise",
    UpdateLater = "updates are a step late: the clock counts otherwise",
    NoWhen = "no update happens, or the mask changes without one",
    WithoutOrigin = "the schedule is taken without its origin: c / t_1 for (c - t_0) / (t_1 - t_0)",
    EndForSpan = "t_1 stands for t_1 - t_0",
    WithOrigin = "the schedule is shifted to t_0 and stretched over T - t_0",
    Linear = "the course is linear, not cubic",
    Quadratic = "the course has the power 2, not 3",
    Reversed = "start and end of the course are exchanged",
    NotHalved = "the cosine is not halved",
    CourseOfSteps = "the course counts one step more",
    CourseBehind = "the course counts one step fewer",
    ExponentMore = "lambda has one exponent more",
    ExponentFewer = "lambda has one exponent fewer",
    DecayOnce = "lambda is applied once, not lambda^e",
    // ---- SGD
    NoDecay = "weight decay is missing",
    DecayOfAll = "weight decay acts also where `no_decay` says that it does not",
    DecoupledDecay = "weight decay is decoupled from the gradient, as AdamW's",
    NoMomentum = "momentum is missing",
    Dampened = "the gradient is dampened by 1 - mu",
    Nesterov = "the momentum is Nesterov's",
    UnmaskedStep = "the step is not masked: inactive weights move",
    NoStep = "SGD is skipped",
    StepAtUpdate = "SGD is not skipped",
    DroppedKeepsWeight = "a weight that was dropped keeps its value: the mask is not applied",
    DroppedKeepsMomentum = "a weight that was dropped keeps its momentum: the mask is not applied to it",
    GrownKeepsOldWeight = "a grown weight starts from what its dense copy holds",
    // ---- distribution, counts
    ErkNotRedistributed = "ERK without redistribution: what a dense layer cannot take is lost",
    CountOneMore = "the count is one more",
    CountOneFewer = "the count is one fewer",
    CountOfAll = "the share is taken of all weights, not of the active ones",
    CountOfActive = "the share is taken of the active weights, not of all",
    CountOfRemoved = "the count is of those that go, not of those that stay",
    // ---- scores
    Signed = "the score is signed: its absolute value is not taken",
    Squared = "the score is squared",
    ScoreBefore = "the score is taken of the weights before the step",
    ScoreOfWeight = "the score is |w|, not the distance from w0",
    ScoreOfGradient = "the score is |g|",
    ScoreDivided = "the score is |g / w|",
    Negated = "the sign of the score is turned",
    SumsOfAll = "sums of gradients run on also where a weight was not tracked",
    NoRate = "the learning rate is left out of the sums",
    // ---- selections
    Smallest = "the smallest are kept, not the largest",
    OneMore = "one more than k is kept",
    OneFewer = "one fewer than k is kept",
    AmongAll = "all weights are candidates, inactive ones too",
    ByLayer = "the selection is by layer, not over all of W",
    OverAll = "the selection is over all of W, not by layer",
    Frozen = "the mask does not change",
    GrownByWeight = "grown by the size of the weight, not of the gradient",
    GrownSigned = "grown by the signed gradient, not by its size",
    GrownSmallest = "grown where the key is smallest",
    GrownAmongKept = "grown among all weights, those that are kept too",
    GrownByMomentum = "grown by the size of the momentum",
    GrownMore = "one more is grown than went",
    GrownFewer = "one fewer is grown than went",
    // ---- resets, rewinds
    ResetToZero = "weights are reset to 0, not to w0",
    ResetToInitial = "weights are reset to w0 itself, which does not decay",
    ResetToBefore = "weights are reset to what they were before the step",
    NotReset = "weights are not reset",
    RewoundToInitial = "rewound to W_0, not to the recorded rewind point",
    NotRewound = "not rewound: the trained weights go on",
    RewindUnmasked = "rewound without the mask",
    MomentumKept = "momentum is kept over the event",
    SumsKept = "sums are kept where a weight is no longer tracked",
    // ---- others
    PenaltyTimesDensity = "the penalty outside A is multiplied by D, not divided by it",
    PenaltyWithoutDensity = "the penalty outside A is not divided by D",
    NoPenalty = "the penalty is missing",
    BackwardIsForward = "B is A: what is outside A is not trained",
    PrunedForWeights = "the weight gradient is formed from the pruned gradient",
    DenseForData = "the data gradient is formed from the whole gradient",
    BarrierOfMean = "the barrier is max - mean of the line, not of its ends",
    BarrierOfFirst = "the barrier is max - first",
    MeanOfEnds = "the mean is of the ends, or of one point fewer",
    RatioUnclipped = "the action is not bounded by the budget",
    RatioOfFirst = "the first layer is pruned too",
    RewardFlipped = "the reward has the other sign",
}

/// A change of the rules, and what is said of a port that it explains.
pub(crate) struct Suspicion {
    pub(crate) told: String,
    pub(crate) rules: Rules,
}

/// Every way in which the rules may have been taken otherwise: another reading first, then the known mistakes.
pub(crate) fn suspicions(rules: &Rules) -> Vec<Suspicion> {
    let mut all = Vec::new();
    for option in rules.entry.options.iter().filter(|option| option.part == Part::Reading) {
        let Domain::Choice(names) = option.domain else { continue };
        let chosen = rules.options.name(option.key);
        let is_open = |name: &&&str| **name != chosen && !(option.key == Ties::KEY && **name == Ties::Any.name());
        for name in names.iter().filter(is_open) {
            let mut altered = rules.clone();
            altered.options.set(option.key, Value::Name(name.to_string()));
            let told = format!("as `{}` = `{name}` has it (declare it in `reading`, if it is meant)", option.key);
            all.push(Suspicion { told, rules: altered });
        }
    }
    for &slip in Slip::ALL {
        let mut altered = Rules { slip: Some(slip), ..rules.clone() };
        match slip {
            Slip::NoDecay => altered.weight_decay = 0.0,
            Slip::NoMomentum => altered.momentum = 0.0,
            _ => {}
        }
        all.push(Suspicion { told: slip.told().to_string(), rules: altered });
    }
    all
}
