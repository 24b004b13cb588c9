//! A condition whose names are known and whose kinds fit: what is evaluated.

use super::kind::Variable;
use super::moment::Part;
use super::pattern::Pattern;
use super::syntax::Operator;

/// A part of the program.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Constant(Constant),
    /// A variable, or something that stands in one.
    Read(Place),
    /// Whether it is there.
    Has(Box<Node>, Box<str>),
    HasPlace(Place),
    /// The item that a loop looks at.
    Item,
    Member(Box<Node>, Box<str>),
    Index(Box<Node>, Box<Node>),
    List(Vec<Node>),
    Not(Box<Node>),
    Negate(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    Choose(Box<[Node; 3]>),
    Binary(Operator, Box<[Node; 2]>),
    Call(Function, Box<[Node]>),
    Matches(Box<Node>, Pattern),
    Loop(Box<Loop>),
}

/// A variable, and the members on the way from it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) variable: Variable,
    pub(super) members: Box<[Box<str>]>,
    /// As it is written, for people.
    pub(super) text: Box<str>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Constant {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Box<str>),
    Time(i64),
    Duration(i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    LowerAscii,
    ToTime,
    ToDuration,
    ToInt,
    ToDouble,
    ToText,
    /// A part of a moment, so many seconds east of Greenwich, or of a duration.
    Part(Part, i64),
}

/// A loop over a list.
#[derive(Debug, Clone)]
pub(super) struct Loop {
    pub(super) over: Node,
    pub(super) form: LoopForm,
    /// Of `map` with three arguments: which items count.
    pub(super) filter: Option<Node>,
    pub(super) step: Node,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LoopForm {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}
