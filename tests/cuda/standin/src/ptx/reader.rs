//! Words one after the other; statements and their operands.

use super::tokens::Token;
use super::{Operand, Statement};
use crate::fault::{Fault, INVALID_PTX};

pub struct Reader {
    pub tokens: Vec<(Token, u32)>,
    pub at: usize,
}

impl Reader {
    pub fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    pub fn line(&self) -> u32 {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(0, |(_, line)| *line)
    }

    pub fn wrong(&self, expected: &str) -> Fault {
        let found = self.peek().map_or("the end".to_string(), |token| format!("{token:?}"));
        Fault::new(INVALID_PTX, format!("PTX, line {}: expected {expected}, found {found}", self.line()))
    }

    /// One word on, whatever it is.
    pub fn skip(&mut self) -> Result<(), Fault> {
        if self.peek().is_none() {
            return Err(self.wrong("more"));
        }
        self.at += 1;
        Ok(())
    }

    pub fn take(&mut self, sign: char) -> bool {
        let is = self.peek() == Some(&Token::Sign(sign));
        self.at += usize::from(is);
        is
    }

    pub fn expect(&mut self, sign: char) -> Result<(), Fault> {
        if self.take(sign) {
            Ok(())
        } else {
            Err(self.wrong(&format!("`{sign}`")))
        }
    }

    pub fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(found)) if found == word)
    }

    pub fn word(&mut self) -> Result<String, Fault> {
        match self.peek() {
            Some(Token::Word(word)) => {
                let word = word.clone();
                self.at += 1;
                Ok(word)
            }
            _ => Err(self.wrong("a word")),
        }
    }

    pub fn int(&mut self) -> Result<u64, Fault> {
        let negative = self.take('-');
        match self.peek() {
            Some(&Token::Int(value)) => {
                self.at += 1;
                Ok(if negative { value.wrapping_neg() } else { value })
            }
            _ => Err(self.wrong("a whole number")),
        }
    }

    pub fn statement(&mut self) -> Result<Statement, Fault> {
        let line = self.line();
        let mut guard = None;
        if self.take('@') {
            let negated = self.take('!');
            guard = Some((self.word()?, negated));
        }
        let name = self.word()?;
        let mut operands = Vec::new();
        while !self.take(';') {
            operands.push(self.operand()?);
            if !self.take(',') && self.peek() != Some(&Token::Sign(';')) {
                return Err(self.wrong("`,` or `;`"));
            }
        }
        Ok(Statement { line, guard, name, operands })
    }

    fn operand(&mut self) -> Result<Operand, Fault> {
        if self.take('[') {
            let base = self.operand()?;
            let mut offset = 0;
            if self.take('+') {
                offset = self.int()? as i64;
            }
            self.expect(']')?;
            return Ok(Operand::Address(Box::new(base), offset));
        }
        if self.take('{') || self.take('(') {
            let mut parts = Vec::new();
            while !self.take('}') && !self.take(')') {
                parts.push(self.operand()?);
                self.take(',');
            }
            return Ok(Operand::Vector(parts));
        }
        if self.take('!') {
            return Ok(Operand::Not(self.word()?));
        }
        match self.peek().cloned() {
            Some(Token::F32(bits)) => {
                self.at += 1;
                Ok(Operand::F32(bits))
            }
            Some(Token::F64(bits)) => {
                self.at += 1;
                Ok(Operand::F64(bits))
            }
            Some(Token::Word(word)) => {
                self.at += 1;
                if self.take('|') {
                    return Ok(Operand::Pair(word, self.word()?));
                }
                Ok(Operand::Name(word))
            }
            _ => Ok(Operand::Int(self.int()?)),
        }
    }
}
