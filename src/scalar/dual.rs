#[derive(Debug, Clone, Copy, Default)]
pub struct Dual<S>(pub S);
