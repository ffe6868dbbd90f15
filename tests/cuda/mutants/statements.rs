//! The statements of the kernels in a PTX file.

#[derive(Clone, Debug)]
pub struct Statement {
    /// From 1.
    pub line: usize,
    pub name: String,
    pub operands: Vec<String>,
}

/// Each kernel's name with its statements.
pub fn statements(ptx: &str) -> Vec<(String, Vec<Statement>)> {
    let mut kernels: Vec<(String, Vec<Statement>)> = Vec::new();
    for (at, line) in ptx.lines().enumerate() {
        if let Some((_, rest)) = line.split_once(".entry ") {
            kernels.push((rest.trim_end_matches('(').to_string(), Vec::new()));
        } else if let (Some((_, statements)), Some(statement)) = (kernels.last_mut(), statement(line, at + 1)) {
            statements.push(statement);
        }
    }
    kernels
}

/// `[@p] name operand, operand;`, which NVRTC writes one a line; directives, labels and brackets are none.
fn statement(line: &str, number: usize) -> Option<Statement> {
    let text = line.trim().strip_suffix(';')?;
    let text = if text.starts_with('@') { text.split_once(char::is_whitespace)?.1.trim() } else { text };
    let (name, operands) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase());
    let operands = operands.split(',').map(|operand| operand.trim().to_string()).collect();
    is_name.then(|| Statement { line: number, name: name.to_string(), operands })
}
