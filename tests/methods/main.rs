//! The proofs of the methods that GDSTAR is compared with, one module a subject. `cargo test --test methods NAME::` runs one.

mod declared;
