//! Reading an SVG document as strictly as its form demands.

/// An element: its name, its attributes and the text directly in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub text: String,
}

impl Element {
    pub fn get(&self, key: &str) -> &str {
        self.attributes.iter().find(|(k, _)| k == key).map_or("", |(_, value)| value)
    }
}

/// The elements in document order, or what is wrong with the document: one root, every element closed in order,
/// attributes quoted and given once, no bare `<` or `&`.
pub fn elements(document: &str) -> Result<Vec<Element>, String> {
    let (mut found, mut open) = (Vec::<Element>::new(), Vec::<usize>::new());
    let mut rest = document.trim();
    while !rest.is_empty() {
        let start = rest.find('<').ok_or("text after the root")?;
        let text = unescape(&rest[..start])?;
        match open.last() {
            Some(&parent) => found[parent].text += text.trim(),
            None if !text.trim().is_empty() || !found.is_empty() => return Err("content outside the root".into()),
            None => {}
        }
        let end = start + rest[start..].find('>').ok_or("a tag without its end")?;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            let opened = open.pop().ok_or("an end without a start")?;
            if found[opened].name != name {
                return Err(format!("</{name}> closes <{}>", found[opened].name));
            }
            continue;
        }
        let inner = tag.strip_suffix('/').unwrap_or(tag);
        let (name, attributes) = inner.split_once(' ').unwrap_or((inner, ""));
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(format!("`{name}` is no name"));
        }
        if tag == inner {
            open.push(found.len());
        }
        found.push(Element { name: name.into(), attributes: read_attributes(attributes)?, text: String::new() });
    }
    if open.is_empty() && !found.is_empty() { Ok(found) } else { Err("an element is not closed".into()) }
}

fn read_attributes(mut rest: &str) -> Result<Vec<(String, String)>, String> {
    let mut found: Vec<(String, String)> = Vec::new();
    while !rest.trim().is_empty() {
        let (key, after) = rest.trim_start().split_once("=\"").ok_or(format!("`{rest}` is no attribute"))?;
        let (value, after) = after.split_once('"').ok_or("a value without its end")?;
        if value.contains('<') || found.iter().any(|(k, _)| k == key) {
            return Err(format!("attribute {key}=\"{value}\""));
        }
        found.push((key.into(), unescape(value)?));
        rest = after;
    }
    Ok(found)
}

fn unescape(text: &str) -> Result<String, String> {
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or("").to_string();
    for part in parts {
        let (entity, after) = part.split_once(';').ok_or("a bare &")?;
        let known = [("lt", '<'), ("gt", '>'), ("amp", '&'), ("quot", '"'), ("apos", '\'')];
        plain.push(known.iter().find(|(name, _)| *name == entity).ok_or(format!("&{entity};"))?.1);
        plain += after;
    }
    Ok(plain)
}

/// The reader itself: it takes what is well-formed and refuses every fault.
#[test]
fn malformed_documents_are_refused() {
    let whole = "<svg a=\"1\"><text>k &lt; k*</text><line x=\"2\"/></svg>";
    let read = elements(whole).unwrap();
    assert_eq!(read.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["svg", "text", "line"]);
    assert_eq!((read[0].get("a"), read[1].text.as_str(), read[2].get("x")), ("1", "k < k*", "2"));
    let faults = [
        "",
        "<svg>",
        "<svg><line></svg>",
        "<svg></line></svg>",
        "</svg>",
        "<svg/><svg/>",
        "text<svg/>",
        "<svg/>text",
        "<svg a=1/>",
        "<svg a=\"1/>",
        "<svg a=\"1\" a=\"2\"/>",
        "<svg>a & b</svg>",
        "<svg>&unknown;</svg>",
        "<svg>1 < 2</svg>",
        "<svg",
    ];
    for fault in faults {
        assert!(elements(fault).is_err(), "{fault}");
    }
}
