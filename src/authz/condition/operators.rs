//! What the operators make of two kinds of values.

use super::kind::Kind;
use super::syntax::Operator;

/// The kind of the outcome; `None` where there can be none.
pub(super) fn kind_of(operator: Operator, left: &Kind, right: &Kind) -> Option<Kind> {
    let bool_if = |fits: bool| fits.then_some(Kind::Bool);
    match operator {
        Operator::Equal | Operator::Different => bool_if(left.is_comparable(right)),
        Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
            bool_if(left.is_ordered(right))
        }
        Operator::In => bool_if(match right {
            Kind::List(of) => left.is_comparable(of),
            Kind::Object | Kind::Params => left.could_be(&Kind::Text),
            Kind::Any => true,
            Kind::Null | Kind::Bool | Kind::Int | Kind::Double | Kind::Text | Kind::Time | Kind::Duration => false,
        }),
        Operator::Add => sum(left, right),
        Operator::Subtract => difference(left, right),
        Operator::Multiply | Operator::Divide => one_of(&[Kind::Int, Kind::Double], left, right),
        Operator::Remainder => one_of(&[Kind::Int], left, right),
    }
}

fn sum(left: &Kind, right: &Kind) -> Option<Kind> {
    match (left, right) {
        (Kind::Time, Kind::Duration | Kind::Any) | (Kind::Duration | Kind::Any, Kind::Time) => Some(Kind::Time),
        (Kind::Duration, Kind::Any) | (Kind::Any, Kind::Duration) => Some(Kind::Any),
        _ => one_of(&[Kind::Int, Kind::Double, Kind::Text, Kind::Duration], left, right),
    }
}

fn difference(left: &Kind, right: &Kind) -> Option<Kind> {
    match (left, right) {
        (Kind::Time, Kind::Time) => Some(Kind::Duration),
        (Kind::Time, Kind::Duration) => Some(Kind::Time),
        (Kind::Time, Kind::Any) | (Kind::Any, Kind::Time | Kind::Duration) => Some(Kind::Any),
        _ => one_of(&[Kind::Int, Kind::Double, Kind::Duration], left, right),
    }
}

/// Both of the same one of `kinds`, as far as is known: if one is, the other must be the same.
fn one_of(kinds: &[Kind], left: &Kind, right: &Kind) -> Option<Kind> {
    let fits = |kind: &Kind| *kind == Kind::Any || kinds.contains(kind);
    let known = if *left == Kind::Any { right } else { left };
    (fits(left) && fits(right) && left.could_be(right)).then(|| known.clone())
}
