//! `+=`, `-=` and `*=` from `+`, `-` and `*`, for every number system written here.

/// Implements the three assigning operators of [`Scalar`](super::Scalar) for a type that has the plain ones.
macro_rules! assigning_operators {
    ($Type:ty $(, $S:ident: $Bound:path)?) => {
        impl$(<$S: $Bound>)? std::ops::AddAssign for $Type {
            #[inline]
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }
        impl$(<$S: $Bound>)? std::ops::SubAssign for $Type {
            #[inline]
            fn sub_assign(&mut self, other: Self) {
                *self = *self - other;
            }
        }
        impl$(<$S: $Bound>)? std::ops::MulAssign for $Type {
            #[inline]
            fn mul_assign(&mut self, other: Self) {
                *self = *self * other;
            }
        }
    };
}
pub(super) use assigning_operators;
