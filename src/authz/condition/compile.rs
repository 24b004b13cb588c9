//! An expression → a program: names are found, kinds must fit, and what can be told to be wrong is told now.

use super::calls;
use super::kind::{Kind, Variable};
use super::mistake::Fault;
use super::operators;
use super::program::{Constant, Node, Place};
use super::syntax::{Expression, Form};

/// What a program looks at.
#[expect(clippy::struct_excessive_bools, reason = "each is a thing of its own")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Uses {
    /// Anything at all that differs from request to request.
    pub(super) anything: bool,
    pub(super) claims: bool,
    pub(super) operation: bool,
    pub(super) params: bool,
    pub(super) arguments: bool,
}

/// A node and what is known of its value.
pub(super) type Typed = (Node, Kind);

#[derive(Debug, Default)]
pub(super) struct Compiler {
    /// The name of a loop's item and what it is, inside of a loop.
    pub(super) item: Option<(String, Kind)>,
    pub(super) uses: Uses,
    depth: usize,
}

/// How deeply parts may stand inside each other: what the evaluation takes of the stack.
const MAX_DEPTH: usize = 48;

/// The program of a whole condition, which must be true or false.
pub(super) fn compile(expression: &Expression) -> Result<(Node, Uses), Fault> {
    let mut compiler = Compiler::default();
    let (node, kind) = compiler.node(expression)?;
    if !kind.could_be(&Kind::Bool) {
        return Err(Fault::new(expression.at, format!("a condition cannot be {kind}"), "compare it with something"));
    }
    if !compiler.uses.anything {
        let fix = "ask for identity, request, operation, resource or now, or remove the condition";
        return Err(Fault::new(expression.at, "the condition is the same for every request", fix));
    }
    Ok((node, compiler.uses))
}

impl Compiler {
    pub(super) fn node(&mut self, expression: &Expression) -> Result<Typed, Fault> {
        if self.depth >= MAX_DEPTH {
            let rule = format!("parts stand inside each other more than {MAX_DEPTH} deep");
            return Err(Fault::new(expression.at, rule, "flatten it"));
        }
        self.depth += 1;
        let typed = self.node_of(expression);
        self.depth -= 1;
        typed
    }

    fn node_of(&mut self, expression: &Expression) -> Result<Typed, Fault> {
        let at = expression.at;
        let constant = |constant, kind| Ok((Node::Constant(constant), kind));
        match &expression.form {
            Form::Null => constant(Constant::Null, Kind::Null),
            Form::Bool(value) => constant(Constant::Bool(*value), Kind::Bool),
            Form::Int(value) => constant(Constant::Int(*value), Kind::Int),
            Form::Double(value) => constant(Constant::Double(*value), Kind::Double),
            Form::Text(value) => constant(Constant::Text(value.as_str().into()), Kind::Text),
            Form::Name(name) => self.name(at, name),
            Form::List(items) => self.list(items),
            Form::Select(of, field) => self.select(at, of, field),
            Form::Index(of, index) => self.index(at, of, index),
            Form::Call(of, name, arguments) => calls::call(self, at, of.as_deref(), name, arguments),
            Form::Not(operand) => Ok((Node::Not(Box::new(self.bool(operand)?)), Kind::Bool)),
            Form::Negate(operand) => self.negate(at, operand),
            Form::Binary(operator, left, right) => {
                let ((left, left_kind), (right, right_kind)) = (self.node(left)?, self.node(right)?);
                let kind = operators::kind_of(*operator, &left_kind, &right_kind).ok_or_else(|| {
                    let rule = format!("{} does not go with {left_kind} and {right_kind}", operator.as_str());
                    Fault::new(at, rule, "compare like with like")
                })?;
                Ok((Node::Binary(*operator, Box::new([left, right])), kind))
            }
            Form::And(operands) => Ok((Node::And(self.bools(operands)?), Kind::Bool)),
            Form::Or(operands) => Ok((Node::Or(self.bools(operands)?), Kind::Bool)),
            Form::Choose(condition, then, otherwise) => {
                let condition = self.bool(condition)?;
                let ((then, then_kind), (otherwise, otherwise_kind)) = (self.node(then)?, self.node(otherwise)?);
                Ok((Node::Choose(Box::new([condition, then, otherwise])), then_kind.join(&otherwise_kind)))
            }
        }
    }

    /// A part that must be true or false.
    pub(super) fn bool(&mut self, expression: &Expression) -> Result<Node, Fault> {
        let (node, kind) = self.node(expression)?;
        if kind.could_be(&Kind::Bool) {
            return Ok(node);
        }
        Err(Fault::new(expression.at, format!("{kind} is neither true nor false"), "compare it with something"))
    }

    fn bools(&mut self, operands: &[Expression]) -> Result<Vec<Node>, Fault> {
        operands.iter().map(|operand| self.bool(operand)).collect()
    }

    fn list(&mut self, items: &[Expression]) -> Result<Typed, Fault> {
        let typed = items.iter().map(|item| self.node(item)).collect::<Result<Vec<_>, _>>()?;
        let (nodes, kinds): (Vec<_>, Vec<_>) = typed.into_iter().unzip();
        let kind = kinds.into_iter().reduce(|known, next| known.join(&next)).unwrap_or(Kind::Any);
        Ok((Node::List(nodes), Kind::list(kind)))
    }

    fn negate(&mut self, at: usize, operand: &Expression) -> Result<Typed, Fault> {
        let (node, kind) = self.node(operand)?;
        if kind.is_number() {
            return Ok((Node::Negate(Box::new(node)), kind));
        }
        Err(Fault::new(at, format!("{kind} has no negative"), "negate a number, or write ! for not"))
    }

    fn name(&mut self, at: usize, name: &str) -> Result<Typed, Fault> {
        if let Some((_, kind)) = self.item.as_ref().filter(|(item, _)| item == name) {
            return Ok((Node::Item, kind.clone()));
        }
        match Variable::find(name, "") {
            Some(variable) => Ok(self.read(variable, name)),
            None if Variable::is_root(name) => {
                let members = Variable::members(name).join(", ");
                Err(Fault::new(at, format!("{name} is no value by itself"), format!("ask for one of {members}")))
            }
            None => {
                let fix = "the variables are identity, request, operation, resource and now; texts stand in quotes";
                Err(Fault::new(at, format!("there is no variable {name}"), fix))
            }
        }
    }

    fn read(&mut self, variable: Variable, text: &str) -> Typed {
        self.uses.anything = true;
        self.uses.claims |= variable == Variable::Claims;
        self.uses.operation |= variable.is_of_operation();
        self.uses.params |= variable == Variable::Params;
        self.uses.arguments |= variable == Variable::Arguments;
        (Node::Read(Place { variable, members: Box::new([]), text: text.into() }), variable.kind())
    }

    /// Whether `expression` is the name of a variable that has members, and not of a loop's item.
    fn root<'e>(&self, expression: &'e Expression) -> Option<&'e str> {
        match &expression.form {
            Form::Name(name) if self.item.as_ref().is_none_or(|(item, _)| item != name) => {
                (Variable::is_root(name) && Variable::find(name, "").is_none()).then_some(name)
            }
            _ => None,
        }
    }

    pub(super) fn select(&mut self, at: usize, of: &Expression, field: &str) -> Result<Typed, Fault> {
        if let Some(root) = self.root(of) {
            let variable = Variable::find(root, field).ok_or_else(|| {
                let fix = format!("it has {}", Variable::members(root).join(", "));
                Fault::new(at, format!("{root} has no {field}"), fix)
            })?;
            return Ok(self.read(variable, &format!("{root}.{field}")));
        }
        let (node, kind) = self.node(of)?;
        let member_kind = match kind {
            Kind::Params => Kind::Text,
            Kind::Object | Kind::Any => Kind::Any,
            _ => {
                return Err(Fault::new(
                    at,
                    format!("{kind} has no members"),
                    "see which members there are in docs/policy.md",
                ));
            }
        };
        Ok((member(node, field, &format!(".{field}")), member_kind))
    }

    fn index(&mut self, at: usize, of: &Expression, index: &Expression) -> Result<Typed, Fault> {
        if let Some(root) = self.root(of) {
            return Err(Fault::new(at, format!("{root} has no index"), format!("write {root}.name")));
        }
        let ((of, kind), (index, index_kind)) = (self.node(of)?, self.node(index)?);
        let (wanted, found) = match kind {
            Kind::List(of) => (Kind::Int, *of),
            Kind::Params => (Kind::Text, Kind::Text),
            Kind::Object => (Kind::Text, Kind::Any),
            Kind::Any if matches!(index_kind, Kind::Int | Kind::Text) => (index_kind.clone(), Kind::Any),
            Kind::Any => (Kind::Any, Kind::Any),
            _ => return Err(Fault::new(at, format!("{kind} has no index"), "index lists and objects")),
        };
        if !index_kind.could_be(&wanted) || (wanted == Kind::Any && index_kind != Kind::Any) {
            return Err(Fault::new(at, format!("{index_kind} is no index here"), format!("write {wanted}")));
        }
        Ok(match index {
            Node::Constant(Constant::Text(name)) => (member(of, &name, &format!("[{name:?}]")), found),
            index => (Node::Index(Box::new(of), Box::new(index)), found),
        })
    }
}

/// The member `name` of what `node` is, as it is written after it.
fn member(node: Node, name: &str, written: &str) -> Node {
    match node {
        Node::Read(place) => {
            let members = place.members.iter().cloned().chain([name.into()]).collect();
            Node::Read(Place { members, text: format!("{}{written}", place.text).into(), ..place })
        }
        other => Node::Member(Box::new(other), name.into()),
    }
}
