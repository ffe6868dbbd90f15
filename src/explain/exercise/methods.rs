//! The exercises on other methods.

mod gradual;
mod growing;
mod once;
mod partial;
mod rewound;
mod tracked;

use super::Exercise;

pub(super) fn all() -> impl Iterator<Item = &'static Exercise> {
    [
        rewound::EXERCISES,
        tracked::EXERCISES,
        once::EXERCISES,
        gradual::EXERCISES,
        growing::EXERCISES,
        partial::EXERCISES,
    ]
    .into_iter()
    .flatten()
}
