//! From words to a module.

use super::reader::Reader;
use super::tokens::{tokens, Token};
use super::{bytes_of, Function, Item, Module, Param, Variable};
use crate::fault::Fault;

pub fn parse(text: &str) -> Result<Module, Fault> {
    let mut reader = Reader { tokens: tokens(text)?, at: 0 };
    let mut module = Module { version: (0, 0), target: String::new(), variables: Vec::new(), functions: Vec::new() };
    while let Some(token) = reader.peek().cloned() {
        let Token::Word(word) = token else { return Err(reader.wrong("a directive")) };
        match word.as_str() {
            ".version" => {
                reader.at += 1;
                let text = reader.word()?;
                let (major, minor) = text.split_once('.').ok_or_else(|| reader.wrong("a version such as 8.0"))?;
                let part = |text: &str| text.parse().map_err(|_| reader.wrong("a version such as 8.0"));
                module.version = (part(major)?, part(minor)?);
            }
            ".target" => {
                reader.at += 1;
                module.target = reader.word()?;
                while reader.take(',') {
                    reader.word()?;
                }
            }
            ".address_size" => {
                reader.at += 1;
                if reader.int()? != 64 {
                    return Err(reader.wrong("addresses of 64 bits"));
                }
            }
            ".visible" | ".extern" | ".weak" => reader.at += 1,
            ".global" | ".const" | ".shared" => module.variables.push(reader.variable()?),
            ".entry" | ".func" => {
                reader.at += 1;
                let function = reader.function(word == ".entry")?;
                module.functions.push(function);
            }
            _ => return Err(reader.wrong("a directive that is known")),
        }
    }
    Ok(module)
}

impl Reader {
    /// `.align N`, if it stands here.
    fn align(&mut self) -> Result<Option<usize>, Fault> {
        if !self.is_word(".align") {
            return Ok(None);
        }
        self.at += 1;
        Ok(Some(self.int()? as usize))
    }

    /// `.space [.align N] .type name [\[N\]] [= value];`
    fn variable(&mut self) -> Result<Variable, Fault> {
        let space = self.word()?;
        let align = self.align()?;
        let kind = self.word()?;
        let each = bytes_of(&kind).ok_or_else(|| self.wrong("a variable of a type that is known"))?;
        let name = self.word()?;
        let mut size = each;
        while self.take('[') {
            size = if self.peek() == Some(&Token::Sign(']')) { 0 } else { size * self.int()? as usize };
            self.expect(']')?;
        }
        let mut data = Vec::new();
        if self.take('=') {
            let list = self.take('{');
            loop {
                let value = match self.peek() {
                    Some(&Token::F32(bits)) => {
                        self.at += 1;
                        u64::from(bits)
                    }
                    Some(&Token::F64(bits)) => {
                        self.at += 1;
                        bits
                    }
                    _ => self.int()?,
                };
                data.extend_from_slice(&value.to_le_bytes()[..each]);
                if !self.take(',') {
                    break;
                }
            }
            if list {
                self.expect('}')?;
            }
        }
        self.expect(';')?;
        Ok(Variable { space, name, align: align.unwrap_or(each), size, data })
    }

    fn function(&mut self, entry: bool) -> Result<Function, Fault> {
        if self.take('(') {
            // What a function returns.
            while !self.take(')') {
                self.skip()?;
            }
        }
        let name = self.word()?;
        let params = if self.take('(') { self.params()? } else { Vec::new() };
        let mut max_threads = None;
        while !matches!(self.peek(), Some(Token::Sign('{' | ';')) | None) {
            let word = self.word()?;
            match word.as_str() {
                ".maxntid" | ".reqntid" => {
                    let mut threads = self.int()?;
                    while self.take(',') {
                        threads *= self.int()?;
                    }
                    max_threads = Some(threads);
                }
                ".minnctapersm" => drop(self.int()?),
                ".noreturn" => (),
                _ => return Err(self.wrong("a directive of a kernel that is known")),
            }
        }
        let body = if self.take(';') { Vec::new() } else { self.body()? };
        Ok(Function { name, entry, params, max_threads, body })
    }

    fn params(&mut self) -> Result<Vec<Param>, Fault> {
        let mut params = Vec::new();
        let mut end = 0usize;
        while !self.take(')') {
            if self.word()? != ".param" {
                return Err(self.wrong(".param"));
            }
            let align = self.align()?;
            let kind = self.word()?;
            let each = bytes_of(&kind).ok_or_else(|| self.wrong("a parameter of a type that is known"))?;
            if self.is_word(".ptr") {
                self.at += 1;
                while !self.is_word(".align") && matches!(self.peek(), Some(Token::Word(word)) if word.starts_with('.'))
                {
                    self.at += 1;
                }
                self.align()?;
            }
            let name = self.word()?;
            let mut size = each;
            if self.take('[') {
                size *= self.int()? as usize;
                self.expect(']')?;
            }
            let align = align.unwrap_or(each);
            let offset = end.next_multiple_of(align);
            end = offset + size;
            params.push(Param { name, size, offset });
            self.take(',');
        }
        Ok(params)
    }

    fn body(&mut self) -> Result<Vec<Item>, Fault> {
        let mut items = Vec::new();
        let mut depth = 0;
        loop {
            if self.take('{') {
                depth += 1;
                items.push(Item::Open);
            } else if self.take('}') {
                depth -= 1;
                items.push(Item::Close);
                if depth == 0 {
                    return Ok(items);
                }
            } else if self.take(';') {
            } else if self.is_word(".reg") {
                self.at += 1;
                self.registers(&mut items)?;
            } else if self.is_word(".local") || self.is_word(".shared") {
                items.push(Item::Variable(self.variable()?));
            } else if self.is_word(".pragma") || self.is_word(".loc") {
                while !self.take(';') {
                    self.skip()?;
                }
            } else if matches!(self.tokens.get(self.at + 1), Some((Token::Sign(':'), _))) {
                items.push(Item::Label(self.word()?));
                self.at += 1;
            } else {
                items.push(Item::Statement(self.statement()?));
            }
        }
    }

    fn registers(&mut self, items: &mut Vec<Item>) -> Result<(), Fault> {
        let kind = self.word()?;
        loop {
            let name = self.word()?;
            let mut count = None;
            if self.take('<') {
                count = Some(self.int()?);
                self.expect('>')?;
            }
            items.push(Item::Register { kind: kind.clone(), name, count });
            if !self.take(',') {
                return self.expect(';');
            }
        }
    }
}
