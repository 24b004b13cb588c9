//! Words → an expression (CEL, "Syntax"). Its size and its depth are bounded, so that nothing that walks it can run out of
//! stack.

use super::lexer::{self, Token, Word};
use super::mistake::Fault;
use super::syntax::{Expression, Form, Operator};

/// How deeply expressions may stand inside each other.
const MAX_DEPTH: usize = 32;
/// Of how many parts an expression may consist.
const MAX_PARTS: usize = 256;

pub(super) fn parse(source: &str) -> Result<Expression, Fault> {
    let mut parser = Parser { tokens: lexer::words(source)?, place: 0, depth: 0, parts: 0 };
    let expression = parser.expression()?;
    match parser.peek() {
        Word::End => Ok(expression),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

struct Parser {
    tokens: Vec<Token>,
    place: usize,
    depth: usize,
    parts: usize,
}

/// Operators of one rank, from the loosest; `&&` and `||` are looser than all of them.
const RANKS: [&[(&str, Operator)]; 3] = [
    &[
        ("==", Operator::Equal),
        ("!=", Operator::Different),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide), ("%", Operator::Remainder)],
];

impl Parser {
    fn peek(&self) -> &Word {
        self.tokens.get(self.place).map_or(&Word::End, |token| &token.word)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.place).map_or(0, |token| token.at)
    }

    fn is(&self, symbol: &str) -> bool {
        matches!(self.peek(), Word::Symbol(known) if *known == symbol)
    }

    fn accept(&mut self, symbol: &str) -> bool {
        let found = self.is(symbol);
        self.place += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &'static str) -> Result<(), Fault> {
        if self.accept(symbol) { Ok(()) } else { Err(self.unexpected(symbol)) }
    }

    fn unexpected(&self, wanted: &str) -> Fault {
        let found = match self.peek() {
            Word::End => "the condition ends".to_owned(),
            Word::Name(name) => format!("there is {name}"),
            Word::Symbol(symbol) => format!("there is {symbol}"),
            Word::Int(_) | Word::Double(_) => "there is a number".to_owned(),
            Word::Text(_) => "there is a text".to_owned(),
        };
        Fault::new(self.at(), format!("{found} where {wanted} is expected"), "complete the expression")
    }

    fn part(&mut self, at: usize, form: Form) -> Result<Expression, Fault> {
        self.parts += 1;
        if self.parts > MAX_PARTS {
            let rule = format!("the condition has more than {MAX_PARTS} parts");
            return Err(Fault::new(at, rule, "split it into several tool_rules, or shorten it"));
        }
        Ok(Expression { at, form })
    }

    /// Runs `read` one level deeper.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth >= MAX_DEPTH {
            let rule = format!("expressions stand inside each other more than {MAX_DEPTH} deep");
            return Err(Fault::new(self.at(), rule, "flatten it"));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn expression(&mut self) -> Result<Expression, Fault> {
        self.deeper(|parser| {
            let condition = parser.chain("||", Form::Or, |parser| parser.chain("&&", Form::And, |p| p.ranked(0)))?;
            let at = parser.at();
            if !parser.accept("?") {
                return Ok(condition);
            }
            let then = parser.expression()?;
            parser.expect(":")?;
            let otherwise = parser.expression()?;
            parser.part(at, Form::Choose(Box::new(condition), Box::new(then), Box::new(otherwise)))
        })
    }

    /// `a || b || c` is one part, however long: such chains are usual, and must not nest.
    fn chain(
        &mut self,
        symbol: &str,
        join: fn(Vec<Expression>) -> Form,
        operand: impl Fn(&mut Self) -> Result<Expression, Fault>,
    ) -> Result<Expression, Fault> {
        let first = operand(self)?;
        let at = self.at();
        if !self.is(symbol) {
            return Ok(first);
        }
        let mut operands = vec![first];
        while self.accept(symbol) {
            operands.push(operand(self)?);
        }
        self.part(at, join(operands))
    }

    fn ranked(&mut self, rank: usize) -> Result<Expression, Fault> {
        let Some(operators) = RANKS.get(rank) else { return self.unary() };
        let mut left = self.ranked(rank + 1)?;
        loop {
            let at = self.at();
            let known = operators.iter().find(|(symbol, _)| self.is(symbol)).map(|(_, operator)| *operator);
            let is_in = rank == 0 && matches!(self.peek(), Word::Name(name) if name == "in");
            let Some(operator) = known.or(is_in.then_some(Operator::In)) else { return Ok(left) };
            self.place += 1;
            let right = self.ranked(rank + 1)?;
            left = self.part(at, Form::Binary(operator, Box::new(left), Box::new(right)))?;
        }
    }

    fn unary(&mut self) -> Result<Expression, Fault> {
        let at = self.at();
        if self.accept("!") {
            let operand = self.deeper(Self::unary)?;
            return self.part(at, Form::Not(Box::new(operand)));
        }
        if !self.accept("-") {
            return self.member();
        }
        if let Some(magnitude) = self.lone_number() {
            self.place += 1;
            let number = 0_i64.checked_sub_unsigned(magnitude).ok_or_else(|| too_large(at))?;
            return self.part(at, Form::Int(number));
        }
        let operand = self.deeper(Self::unary)?;
        self.part(at, Form::Negate(Box::new(operand)))
    }

    /// A number that nothing is asked of.
    fn lone_number(&self) -> Option<u64> {
        let next = self.tokens.get(self.place + 1).map(|token| &token.word);
        match self.peek() {
            Word::Int(magnitude) if !matches!(next, Some(Word::Symbol("." | "["))) => Some(*magnitude),
            _ => None,
        }
    }

    fn member(&mut self) -> Result<Expression, Fault> {
        let mut of = self.primary()?;
        loop {
            let at = self.at();
            if self.accept(".") {
                let (at, name) = (self.at(), self.name()?);
                let form = if self.accept("(") {
                    Form::Call(Some(Box::new(of)), name, self.items(")")?)
                } else {
                    Form::Select(Box::new(of), name)
                };
                of = self.part(at, form)?;
            } else if self.accept("[") {
                let index = self.expression()?;
                self.expect("]")?;
                of = self.part(at, Form::Index(Box::new(of), Box::new(index)))?;
            } else {
                return Ok(of);
            }
        }
    }

    fn name(&mut self) -> Result<String, Fault> {
        match self.peek().clone() {
            Word::Name(name) => {
                self.place += 1;
                Ok(name)
            }
            _ => Err(self.unexpected("a name")),
        }
    }

    fn primary(&mut self) -> Result<Expression, Fault> {
        let (at, word) = (self.at(), self.peek().clone());
        self.place += 1;
        match word {
            Word::Int(number) => {
                let number = i64::try_from(number).map_err(|_| too_large(at))?;
                self.part(at, Form::Int(number))
            }
            Word::Double(number) => self.part(at, Form::Double(number)),
            Word::Text(text) => self.part(at, Form::Text(text)),
            Word::Symbol("(") => {
                let inner = self.expression()?;
                self.expect(")").map(|()| inner)
            }
            Word::Symbol("[") => {
                let items = self.items("]")?;
                self.part(at, Form::List(items))
            }
            Word::Symbol("{") => Err(Fault::new(at, "maps cannot be written in conditions", "compare single values")),
            Word::Name(name) if name != "in" => self.named(at, name),
            Word::Name(_) | Word::Symbol(_) | Word::End => {
                self.place -= 1;
                Err(self.unexpected("a value"))
            }
        }
    }

    fn named(&mut self, at: usize, name: String) -> Result<Expression, Fault> {
        let form = match name.as_str() {
            "true" => Form::Bool(true),
            "false" => Form::Bool(false),
            "null" => Form::Null,
            _ if self.accept("(") => Form::Call(None, name, self.items(")")?),
            _ => Form::Name(name),
        };
        self.part(at, form)
    }

    /// What stands between commas up to `end`; a comma may follow the last item of a list.
    fn items(&mut self, end: &'static str) -> Result<Vec<Expression>, Fault> {
        let mut items = Vec::new();
        while !self.accept(end) {
            items.push(self.expression()?);
            if !self.accept(",") {
                self.expect(end)?;
                break;
            }
        }
        Ok(items)
    }
}

fn too_large(at: usize) -> Fault {
    Fault::new(at, "it is no number of 64 bits", "write a smaller one")
}
