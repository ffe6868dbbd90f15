//! Names of nested number systems, `dual<bounded<f64>>`, put together at compile time.

/// A name with room for a few levels of nesting.
pub(super) struct Name {
    bytes: [u8; 64],
    length: usize,
}

impl Name {
    const fn push(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        let mut i = 0;
        while i < text.len() {
            self.bytes[self.length] = text[i]; // out of room is a compile-time error
            self.length += 1;
            i += 1;
        }
        self
    }
}

/// `outer<inner>`.
pub(super) const fn nested(outer: &str, inner: &str) -> Name {
    Name { bytes: [0; 64], length: 0 }.push(outer).push("<").push(inner).push(">")
}

/// The name as text.
pub(super) const fn text(name: &'static Name) -> &'static str {
    match std::str::from_utf8(name.bytes.split_at(name.length).0) {
        Ok(text) => text,
        Err(_) => "", // unreachable: whole strings were pushed
    }
}
