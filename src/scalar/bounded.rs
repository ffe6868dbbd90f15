#[derive(Debug, Clone, Copy, Default)]
pub struct Bounded(pub f64);
