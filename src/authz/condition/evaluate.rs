//! A program and facts → a value. Total: every step is paid for, every failure is told, nothing panics.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::facts::Facts;
use super::fuel::{Fuel, Trouble};
use super::functions;
use super::program::{Loop, LoopForm, Node, Place};
use super::seen::Seen;
use super::syntax::Operator;
use super::value::{Items, Value};

pub(super) struct Evaluator<'v, 'r> {
    pub(super) facts: &'v Facts<'v>,
    pub(super) fuel: &'r mut Fuel,
    /// What a loop looks at.
    pub(super) item: Option<Value<'v>>,
    /// What was read, for those who ask why.
    pub(super) seen: Option<&'r mut Vec<Seen>>,
}

type Outcome<'v> = Result<Value<'v>, Trouble>;

impl<'v> Evaluator<'v, '_> {
    pub(super) fn value(&mut self, node: &'v Node) -> Outcome<'v> {
        self.fuel.spend(1)?;
        match node {
            Node::Constant(constant) => Ok(Value::constant(constant)),
            Node::Read(place) => self.read(place),
            Node::HasPlace(place) => self.has_place(place),
            Node::Has(of, name) => self.value(of)?.member(name).map(|member| Value::Bool(member.is_some())),
            Node::Item => self.item(),
            Node::Member(of, name) => self.value(of)?.member(name)?.ok_or(Trouble::Absent),
            Node::Index(of, index) => self.index(of, index),
            Node::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.value(item)).collect::<Result<_, _>>()?;
                Ok(Value::List(Items::Made(items.into())))
            }
            Node::Not(operand) => self.bool(operand).map(|value| Value::Bool(!value)),
            Node::Negate(operand) => functions::negative(&self.value(operand)?),
            Node::And(operands) => self.absorbing(operands, false),
            Node::Or(operands) => self.absorbing(operands, true),
            Node::Choose(parts) => {
                let [condition, then, otherwise] = &**parts;
                if self.bool(condition)? { self.value(then) } else { self.value(otherwise) }
            }
            Node::Binary(operator, operands) => {
                let [left, right] = &**operands;
                let (left, right) = (self.value(left)?, self.value(right)?);
                self.binary(*operator, &left, &right)
            }
            Node::Call(function, arguments) => {
                let arguments: Vec<_> =
                    arguments.iter().map(|argument| self.value(argument)).collect::<Result<_, _>>()?;
                functions::call(*function, &arguments, self.fuel)
            }
            Node::Matches(of, pattern) => {
                let text = self.value(of)?;
                let text = text.as_text()?;
                self.fuel.spend(pattern.cost(text))?;
                Ok(Value::Bool(pattern.is_in(text)))
            }
            Node::Loop(looped) => self.run(looped),
        }
    }

    pub(super) fn bool(&mut self, node: &'v Node) -> Result<bool, Trouble> {
        self.value(node)?.as_bool()
    }

    fn item(&mut self) -> Outcome<'v> {
        let item = self.item.clone().ok_or(Trouble::Absent)?;
        if let Value::Text(Cow::Owned(text)) = &item {
            self.fuel.look_at(text.len())?;
        }
        Ok(item)
    }

    fn read(&mut self, place: &Place) -> Outcome<'v> {
        let found = self.find(place, &place.members);
        if let Some(seen) = &mut self.seen {
            Seen::note(seen, &place.text, found.as_ref().ok().and_then(Option::as_ref));
        }
        found?.ok_or(Trouble::Absent)
    }

    /// Whether the last member is there; those before it must be.
    fn has_place(&mut self, place: &Place) -> Outcome<'v> {
        let found = match place.members.split_last() {
            None => self.facts.value(place.variable).is_some(),
            Some((last, before)) => {
                let of = self.find(place, before)?.ok_or(Trouble::Absent)?;
                of.member(last)?.is_some()
            }
        };
        if let Some(seen) = &mut self.seen {
            Seen::note(seen, &format!("has({})", place.text), Some(&Value::Bool(found)));
        }
        Ok(Value::Bool(found))
    }

    fn find(&mut self, place: &Place, members: &[Box<str>]) -> Result<Option<Value<'v>>, Trouble> {
        let mut found = self.facts.value(place.variable);
        for name in members {
            self.fuel.spend(1)?;
            found = match found {
                Some(value) => value.member(name)?,
                None => return Ok(None),
            };
        }
        Ok(found)
    }

    fn index(&mut self, of: &'v Node, index: &'v Node) -> Outcome<'v> {
        let (of, index) = (self.value(of)?, self.value(index)?);
        match (&of, &index) {
            (Value::List(items), Value::Int(place)) => {
                let place = usize::try_from(*place).map_err(|_| Trouble::Absent)?;
                items.get(place).ok_or(Trouble::Absent)?
            }
            (_, Value::Text(name)) => of.member(name)?.ok_or(Trouble::Absent),
            _ => Err(Trouble::Kind),
        }
    }

    /// `&&` and `||`: one operand that settles it makes up for others that fail (CEL, "Logical Operators").
    fn absorbing(&mut self, operands: &'v [Node], settles: bool) -> Outcome<'v> {
        let mut trouble = None;
        for operand in operands {
            match self.bool(operand) {
                Ok(value) if value == settles => return Ok(Value::Bool(settles)),
                Ok(_) => {}
                Err(Trouble::Exhausted) => return Err(Trouble::Exhausted),
                Err(error) => trouble = trouble.or(Some(error)),
            }
        }
        trouble.map_or(Ok(Value::Bool(!settles)), Err)
    }

    fn binary(&mut self, operator: Operator, left: &Value<'v>, right: &Value<'v>) -> Outcome<'v> {
        let bool = |value: bool| Ok(Value::Bool(value));
        match operator {
            Operator::Equal => bool(left.equals(right, self.fuel)?),
            Operator::Different => bool(!left.equals(right, self.fuel)?),
            Operator::Less => bool(left.order(right, self.fuel)? == Some(Ordering::Less)),
            Operator::LessOrEqual => bool(left.order(right, self.fuel)?.is_some_and(Ordering::is_le)),
            Operator::Greater => bool(left.order(right, self.fuel)? == Some(Ordering::Greater)),
            Operator::GreaterOrEqual => bool(left.order(right, self.fuel)?.is_some_and(Ordering::is_ge)),
            Operator::In => bool(self.is_in(left, right)?),
            Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Remainder => {
                functions::arithmetic(operator, left, right, self.fuel)
            }
        }
    }

    fn is_in(&mut self, item: &Value<'v>, of: &Value<'v>) -> Result<bool, Trouble> {
        let Value::List(items) = of else { return of.member(item.as_text()?).map(|member| member.is_some()) };
        for place in 0..items.len() {
            let Some(other) = items.get(place) else { break };
            if other?.equals(item, self.fuel)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn run(&mut self, looped: &'v Loop) -> Outcome<'v> {
        let over = self.value(&looped.over)?;
        let Value::List(items) = over else { return Err(Trouble::Kind) };
        let outcome = match looped.form {
            LoopForm::All => self.quantify(looped, &items, false),
            LoopForm::Exists => self.quantify(looped, &items, true),
            LoopForm::ExistsOne => self.count(looped, &items).map(|count| Value::Bool(count == 1)),
            LoopForm::Filter | LoopForm::Map => self.collect(looped, &items),
        };
        self.item = None;
        outcome
    }

    /// The next step of a loop.
    fn step(&mut self, node: &'v Node, item: &Value<'v>) -> Outcome<'v> {
        self.item = Some(item.clone());
        self.value(node)
    }

    fn quantify(&mut self, looped: &'v Loop, items: &Items<'v>, settles: bool) -> Outcome<'v> {
        let mut trouble = None;
        for place in 0..items.len() {
            let Some(item) = items.get(place) else { break };
            match item.and_then(|item| self.step(&looped.step, &item)?.as_bool()) {
                Ok(value) if value == settles => return Ok(Value::Bool(settles)),
                Ok(_) => {}
                Err(Trouble::Exhausted) => return Err(Trouble::Exhausted),
                Err(error) => trouble = trouble.or(Some(error)),
            }
        }
        trouble.map_or(Ok(Value::Bool(!settles)), Err)
    }

    fn count(&mut self, looped: &'v Loop, items: &Items<'v>) -> Result<usize, Trouble> {
        let mut count = 0;
        for place in 0..items.len() {
            let Some(item) = items.get(place) else { break };
            count += usize::from(self.step(&looped.step, &item?)?.as_bool()?);
        }
        Ok(count)
    }

    fn collect(&mut self, looped: &'v Loop, items: &Items<'v>) -> Outcome<'v> {
        let mut made = Vec::new();
        for place in 0..items.len() {
            let Some(item) = items.get(place) else { break };
            let item = item?;
            let counts = match &looped.filter {
                Some(filter) => self.step(filter, &item)?.as_bool()?,
                None => true,
            };
            match looped.form {
                _ if !counts => {}
                LoopForm::Filter if !self.step(&looped.step, &item)?.as_bool()? => {}
                LoopForm::Filter => made.push(item),
                _ => made.push(self.step(&looped.step, &item)?),
            }
        }
        Ok(Value::List(Items::Made(made.into())))
    }
}
