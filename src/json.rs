//! JSON in which a key that occurs twice is an error. `serde_json` lets the last one win, and a file would then mean
//! something else to another reader.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// The longest text that is taken: a value takes up to a hundred times the memory of its text, and no text here is longer
/// than what a few thousand names take.
const LONGEST: usize = 4 << 20;

/// The value that `text` holds, or what is wrong with it.
///
/// ```
/// assert!(gdstar::json::parse(br#"{"lambda": 0.75}"#).is_ok());
/// let twice = gdstar::json::parse(br#"{"lambda": 0.75, "lambda": 0.9}"#).unwrap_err();
/// assert!(twice.starts_with("the key `lambda` occurs twice"), "{twice}");
/// ```
///
/// # Errors
/// A message, where the text is not JSON, is longer than 4 MiB, or an object in it has a key twice.
pub fn parse(text: &[u8]) -> Result<Value, String> {
    if text.len() > LONGEST {
        return Err(format!("{} bytes of text, of at most {LONGEST}", text.len()));
    }
    serde_json::from_slice::<Strict>(text).map(|strict| strict.0).map_err(|e| e.to_string())
}

/// A number as a record has it, in which JSON's null is what it has in place of one that is not finite.
///
/// # Errors
/// Those of the deserializer.
pub fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// A list of the same.
///
/// # Errors
/// Those of the deserializer.
pub fn numbers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    let numbers = Vec::<Option<f64>>::deserialize(deserializer)?;
    Ok(numbers.into_iter().map(|number| number.unwrap_or(f64::NAN)).collect())
}

/// A [`Value`] without duplicate keys.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = elements.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, Strict(value))) = entries.next_entry::<String, _>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{key}` occurs twice")));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}
