//! [`Message`]: protocol buffers, as far as files of other programs that are written here need them.

/// A message under construction: each field is its number and wire type, then its value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Message(Vec<u8>);

const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const LENGTH: u64 = 2;
const FIXED_32: u64 = 5;

impl Message {
    pub fn bytes(self) -> Vec<u8> {
        self.0
    }

    /// A field of type int64, or of an enumeration.
    pub fn int(mut self, field: u64, n: i64) -> Self {
        self.key(field, VARINT);
        // Two's complement, as the format has negative ones.
        self.varint(n as u64);
        self
    }

    pub fn double(mut self, field: u64, x: f64) -> Self {
        self.key(field, FIXED_64);
        self.0.extend(x.to_le_bytes());
        self
    }

    pub fn float(mut self, field: u64, x: f32) -> Self {
        self.key(field, FIXED_32);
        self.0.extend(x.to_le_bytes());
        self
    }

    /// A field of as many bytes as it says.
    pub fn content(mut self, field: u64, content: &[u8]) -> Self {
        self.key(field, LENGTH);
        self.varint(content.len() as u64);
        self.0.extend(content);
        self
    }

    pub fn text(self, field: u64, text: &str) -> Self {
        self.content(field, text.as_bytes())
    }

    pub fn message(self, field: u64, message: &Self) -> Self {
        self.content(field, &message.0)
    }

    /// The same field once for each of several messages.
    pub fn messages(self, field: u64, messages: &[Self]) -> Self {
        messages.iter().fold(self, |all, message| all.message(field, message))
    }

    fn key(&mut self, field: u64, wire: u64) {
        self.varint(field << 3 | wire);
    }

    /// Seven bits a byte, the lowest first; all but the last have the eighth.
    fn varint(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.0.push(n as u8 | 0x80);
            n >>= 7;
        }
        self.0.push(n as u8);
    }
}
