//! PTX text in words.

use crate::fault::{Fault, INVALID_PTX};

#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// Names, registers, directives and instructions, dots and all.
    Word(String),
    /// Any whole number, as 64 bits.
    Int(u64),
    F32(u32),
    F64(u64),
    Text(String),
    Sign(char),
}

/// The words with their lines (from 1).
pub fn tokens(text: &str) -> Result<Vec<(Token, u32)>, Fault> {
    let chars: Vec<char> = text.chars().collect();
    let (mut at, mut line) = (0, 1);
    let mut out = Vec::new();
    while at < chars.len() {
        let c = chars[at];
        let next = chars.get(at + 1).copied().unwrap_or(' ');
        let from = at;
        let while_ = |mut at: usize, keep: &dyn Fn(char) -> bool| {
            while at < chars.len() && keep(chars[at]) {
                at += 1;
            }
            at
        };
        match c {
            '\n' => {
                line += 1;
                at += 1;
            }
            '/' if next == '/' => at = while_(at, &|c| c != '\n'),
            '/' if next == '*' => {
                at += 2;
                while at + 1 < chars.len() && (chars[at], chars[at + 1]) != ('*', '/') {
                    line += u32::from(chars[at] == '\n');
                    at += 1;
                }
                at += 2;
            }
            '"' => {
                at = while_(at + 1, &|c| c != '"') + 1;
                out.push((Token::Text(chars[from + 1..at - 1].iter().collect()), line));
            }
            _ if c.is_whitespace() => at += 1,
            _ if c.is_ascii_digit() => {
                at = while_(at, &|c| c.is_ascii_alphanumeric() || c == '.');
                let word: String = chars[from..at].iter().collect();
                out.push((number(&word, line)?, line));
            }
            _ if is_word(c) => {
                at = while_(at, &|c| is_word(c) || c.is_ascii_digit());
                out.push((Token::Word(chars[from..at].iter().collect()), line));
            }
            _ => {
                at += 1;
                out.push((Token::Sign(c), line));
            }
        }
    }
    Ok(out)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '_' | '$' | '%' | '.')
}

fn number(word: &str, line: u32) -> Result<Token, Fault> {
    let wrong = || Fault::new(INVALID_PTX, format!("line {line}: expected a number, found `{word}`"));
    let hex = |digits: &str| u64::from_str_radix(digits, 16).map_err(|_| wrong());
    Ok(match word.get(..2) {
        Some("0f" | "0F") => Token::F32(u32::try_from(hex(&word[2..])?).map_err(|_| wrong())?),
        Some("0d" | "0D") => Token::F64(hex(&word[2..])?),
        Some("0x" | "0X") => Token::Int(hex(word[2..].trim_end_matches('U'))?),
        // A version, `8.0`, is the only number with a point.
        _ if word.contains('.') => Token::Word(word.to_string()),
        _ => Token::Int(word.trim_end_matches('U').parse().map_err(|_| wrong())?),
    })
}
