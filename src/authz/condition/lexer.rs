//! Characters → words of the language (CEL, "Syntax"; literals of bytes and unsigned numbers are left out).

use super::mistake::Fault;

/// A word, and the byte at which it starts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) word: Word,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Word {
    Name(String),
    /// Without its sign: the smallest number has a magnitude that no positive one has.
    Int(u64),
    Double(f64),
    Text(String),
    Symbol(&'static str),
    End,
}

/// Longer ones first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 25] = [
    "||", "&&", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", "(", ")", "[", "]", "{", "}",
    ".", ",", "=",
];

/// All words of `source`, and the end.
pub(super) fn words(source: &str) -> Result<Vec<Token>, Fault> {
    let mut lexer = Lexer { source, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_space();
        let (at, word) = (lexer.at, lexer.next()?);
        let ends = word == Word::End;
        tokens.push(Token { at, word });
        if ends {
            return Ok(tokens);
        }
    }
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.at += char.len_utf8();
        Some(char)
    }

    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'s str {
        let rest = self.rest();
        let length = rest.find(|char| !fits(char)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// White space, and comments to the end of their line.
    fn skip_space(&mut self) {
        loop {
            self.take_while(|char| matches!(char, ' ' | '\t' | '\n' | '\r' | '\u{c}'));
            if !self.rest().starts_with("//") {
                return;
            }
            self.take_while(|char| char != '\n');
        }
    }

    fn next(&mut self) -> Result<Word, Fault> {
        let Some(first) = self.peek() else { return Ok(Word::End) };
        let quoted = |text: &str| text.starts_with(['\'', '"']);
        let second = self.rest().get(first.len_utf8()..).unwrap_or_default();
        match first {
            '\'' | '"' => self.text(false),
            'r' | 'R' if quoted(second) => {
                self.take();
                self.text(true)
            }
            'b' | 'B' if quoted(second) => {
                Err(Fault::new(self.at, "bytes are not known in conditions", "compare texts"))
            }
            '0'..='9' => self.number(),
            '.' if second.starts_with(|char: char| char.is_ascii_digit()) => self.number(),
            'a'..='z' | 'A'..='Z' | '_' => {
                Ok(Word::Name(self.take_while(|char| char.is_ascii_alphanumeric() || char == '_').to_owned()))
            }
            _ => self.symbol(first),
        }
    }

    fn symbol(&mut self, first: char) -> Result<Word, Fault> {
        let symbol = SYMBOLS.into_iter().find(|symbol| self.rest().starts_with(symbol)).ok_or_else(|| {
            let fix = "see the section about conditions in docs/policy.md";
            Fault::new(self.at, format!("{first:?} has no meaning in a condition"), fix)
        })?;
        if symbol == "=" {
            return Err(Fault::new(self.at, "nothing can be assigned", "compare with =="));
        }
        self.at += symbol.len();
        Ok(Word::Symbol(symbol))
    }

    fn number(&mut self) -> Result<Word, Fault> {
        let at = self.at;
        let bad = |fix: &str| Fault::new(at, "it is no number of 64 bits", fix);
        if self.rest().starts_with("0x") {
            self.at += 2;
            let digits = self.take_while(|char| char.is_ascii_alphanumeric());
            return u64::from_str_radix(digits, 16).map(Word::Int).map_err(|_| bad("write it like 0x1f"));
        }
        self.take_while(|char| char.is_ascii_digit());
        let mut whole = true;
        if self.rest().starts_with('.') && self.rest().chars().nth(1).is_some_and(|char| char.is_ascii_digit()) {
            whole = false;
            self.take();
            self.take_while(|char| char.is_ascii_digit());
        }
        if self.rest().starts_with(['e', 'E']) {
            whole = false;
            self.take();
            self.take_while(|char| char.is_ascii_digit() || matches!(char, '+' | '-'));
        }
        let digits = self.source.get(at..self.at).unwrap_or_default();
        match self.take_while(|char| char.is_ascii_alphanumeric() || char == '_') {
            "" if whole => digits.parse().map(Word::Int).map_err(|_| bad("write a smaller one")),
            "" => {
                let number = digits.parse::<f64>().ok().filter(|number| number.is_finite());
                number.map(Word::Double).ok_or_else(|| bad("write it like 1.5"))
            }
            "u" | "U" => Err(Fault::new(at, "unsigned numbers are not known in conditions", "leave the u out")),
            _ => Err(bad("write it like 15 or 1.5")),
        }
    }

    fn text(&mut self, raw: bool) -> Result<Word, Fault> {
        let start = self.at;
        let quote = self.take();
        let mut text = String::new();
        loop {
            let at = self.at;
            match self.take() {
                None | Some('\n' | '\r') => {
                    return Err(Fault::new(start, "the text has no end", "close it with the quote that opens it"));
                }
                end if end == quote => return Ok(Word::Text(text)),
                Some('\\') if !raw => text.push(self.escaped().ok_or_else(|| {
                    Fault::new(
                        at,
                        "there is no such escape",
                        "write \\\\ for a backslash, or r'…' for a text without escapes",
                    )
                })?),
                Some(char) => text.push(char),
            }
        }
    }

    /// What follows a backslash.
    fn escaped(&mut self) -> Option<char> {
        Some(match self.take()? {
            char @ ('\\' | '\'' | '"' | '`' | '?') => char,
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' | 'X' => self.code(2, 16)?,
            'u' => self.code(4, 16)?,
            'U' => self.code(8, 16)?,
            first @ '0'..='3' => {
                let digits = format!("{first}{}", self.digits(2)?);
                char::from_u32(u32::from_str_radix(&digits, 8).ok()?)?
            }
            _ => return None,
        })
    }

    fn code(&mut self, length: usize, radix: u32) -> Option<char> {
        char::from_u32(u32::from_str_radix(self.digits(length)?, radix).ok()?)
    }

    fn digits(&mut self, length: usize) -> Option<&'s str> {
        let digits = self.rest().get(..length).filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        self.at += length;
        Some(digits)
    }
}
