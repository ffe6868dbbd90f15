//! By what DropBack and Procrustes compare weights.

use crate::choice::choice;

choice! {
    /// By what weights are tracked.
    Score, "score":
    /// How far they are from their first values.
    Distance = "distance",
    /// What their gradients have summed up to while they were tracked.
    Accumulated = "accumulated",
}

choice! {
    /// Whose sums of gradients run on.
    Accumulate, "accumulate":
    /// Those of tracked weights; others start again.
    Tracked = "tracked",
    /// All; of those not tracked before the step the step's own counts.
    Always = "always",
}
