//! What conditions and claims can cost at most, however they are made. Work is counted in steps, so nothing is timed.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Condition, Fuel, Trouble};
use super::{ask, claims, identity};

/// As many groups as fit into a token of 16 KB.
fn crowded() -> Value {
    let mut claims = claims();
    claims["groups"] = (0..5000).map(|_| "g").collect();
    claims["many"] = (0..5000).map(|number| json!(number % 10)).collect();
    claims["long"] = json!("a".repeat(12_000));
    claims
}

#[test]
fn sources_are_bounded_in_length_parts_and_depth() {
    let chain = |operator: &str, times: usize| vec!["identity.claims.a"; times].join(operator);
    for source in [
        format!("{}now > now{}", "(".repeat(2000), ")".repeat(2000)),
        format!("{}identity.claims.a", "!".repeat(4000)),
        format!("{}identity.claims.a == 1", "-".repeat(2000)),
        format!("{}identity.claims.a == 1", "[".repeat(4000)),
        format!("identity.claims{} == 1", ".a".repeat(1000)),
        format!("identity.claims{} == 1", "[0]".repeat(1000)),
        format!("{} == 1", chain(" + ", 60)),
        chain(" && ", 150),
        format!("now == now {}", "? true : now == now ".repeat(150)),
        format!("identity.email == '{}'", "x".repeat(4100)),
        "size(".repeat(800),
    ] {
        assert!(Condition::parse(&source).is_err(), "{source}");
    }
    assert!(Condition::parse(&chain(" && ", 60)).is_ok());
}

#[test]
fn the_worst_conditions_end_when_their_steps_are_used_up() {
    let identity = identity(&crowded());
    for (source, expected) in [
        ("identity.groups.all(group, group in identity.groups.filter(g, true))", None),
        ("identity.groups.exists(group, !(group in identity.groups) && group == 'x')", Some(Ok(false))),
        ("identity.claims.many.exists(number, !(99 in identity.claims.many))", Some(Ok(true))),
        ("identity.claims.many.exists(number, 99 in identity.claims.many)", Some(Err(Trouble::Exhausted))),
        (
            "identity.claims.many.all(number, identity.claims.many == identity.claims.many)",
            Some(Err(Trouble::Exhausted)),
        ),
        ("identity.groups.exists(group, identity.claims.long.contains('b'))", Some(Err(Trouble::Exhausted))),
        (
            "identity.groups.exists(g, (identity.claims.long + identity.claims.long).endsWith('b'))",
            Some(Err(Trouble::Exhausted)),
        ),
        ("identity.claims.long.matches('(a?){30}(a?){30}b')", Some(Err(Trouble::Exhausted))),
        ("identity.groups.exists(g, identity.claims.long.lowerAscii() == g)", Some(Err(Trouble::Exhausted))),
        ("identity.groups.exists(g, g == 'x')", Some(Ok(false))),
        ("'x' in identity.groups", Some(Ok(false))),
    ] {
        let Some(expected) = expected else {
            assert!(Condition::parse(source).is_err(), "{source}");
            continue;
        };
        let mut fuel = Fuel::for_request();
        assert_eq!(ask(&Condition::parse(source).unwrap(), &identity, &mut fuel), expected, "{source}");
        assert!(fuel.spent() <= Fuel::PER_REQUEST);
    }
}

/// Each part, each member on the way and each sixteen bytes that are looked at cost a step.
#[test]
fn nothing_is_asked_for_free() {
    let spent = |source: &str| {
        let (condition, mut fuel) = (Condition::parse(source).unwrap(), Fuel::for_request());
        ask(&condition, &identity(&crowded()), &mut fuel).unwrap();
        fuel.spent()
    };
    let chain = |times: usize| vec!["now == now"; times].join(" && ");
    let per_part = (spent(&chain(20)) - spent(&chain(10))) / 10;
    assert!(per_part >= 3, "a comparison has three parts: {per_part}");
    let deep = spent("has(identity.claims.address) && identity.claims.address.country == 'DE'");
    let flat = spent("has(identity.claims.address) && identity.claims.department == 'DE'");
    assert!(deep > flat, "each member counts: {deep} and {flat}");
    let looked_through = spent("!identity.claims.long.contains('b')");
    assert!(looked_through >= 12_000 * 4 / 16, "so does each letter: {looked_through}");
    let lowered = spent("identity.claims.long.lowerAscii() != ''");
    assert!(lowered >= 12_000 / 16, "and what is made of it: {lowered}");
}

#[test]
fn work_that_was_done_is_not_forgotten_by_an_operand_that_settles_it() {
    let identity = identity(&crowded());
    let condition =
        Condition::parse("identity.claims.many.exists(n, 99 in identity.claims.many) || identity.user_name == 'alice'");
    let mut fuel = Fuel::for_request();
    assert_eq!(ask(&condition.unwrap(), &identity, &mut fuel), Err(Trouble::Exhausted));
}

const LEAVES: &str = "now identity.claims identity.claims.numbers identity.claims.mixed identity.claims.address \
    identity.claims.level identity.claims.ratio identity.claims.huge identity.claims.nothing identity.claims.missing \
    identity.claims.vip identity.claims.department identity.claims.until identity.groups identity.email \
    operation.params operation.arguments operation.name request.origin true false null 0 -1 9223372036854775807 \
    -9223372036854775808 1.5 1e308 '' 'é' 'a' [] duration('9h') timestamp('0001-01-01T00:00:00Z') x";

fn one_of(words: &'static str) -> impl Strategy<Value = String> + Clone {
    prop::sample::select(words.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
}

/// Expressions of every form, most of them nonsense.
pub(super) fn expressions() -> impl Strategy<Value = String> {
    one_of(LEAVES).prop_recursive(5, 40, 3, |inner| {
        let operators = one_of("== != < <= > >= in + - * / % && ||");
        let methods = one_of("contains startsWith endsWith size lowerAscii getHours getFullYear getDayOfYear");
        let functions = one_of("size int double string timestamp duration ! -");
        let loops = one_of("all exists exists_one filter map");
        let (two, three) = ((inner.clone(), inner.clone()), (inner.clone(), inner.clone(), inner.clone()));
        prop_oneof![
            (inner.clone(), operators, inner.clone())
                .prop_map(|(left, sign, right)| format!("({left} {sign} {right})")),
            three.prop_map(|(condition, then, otherwise)| format!("({condition} ? {then} : {otherwise})")),
            (inner.clone(), methods.clone(), inner.clone()).prop_map(|(of, name, part)| format!("{of}.{name}({part})")),
            (inner.clone(), methods).prop_map(|(of, name)| format!("{of}.{name}()")),
            (functions, inner.clone()).prop_map(|(name, of)| format!("{name}({of})")),
            (inner.clone(), loops, inner.clone()).prop_map(|(of, name, step)| format!("{of}.{name}(x, {step})")),
            two.clone().prop_map(|(of, index)| format!("{of}[{index}]")),
            two.prop_map(|(left, right)| format!("[{left}, {right}]")),
            inner.prop_map(|of| format!("has({of}.a)")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn whatever_is_accepted_is_evaluated_in_bounded_steps_without_panic(source in expressions()) {
        let source = format!("now == now && {source}");
        if let Ok(condition) = Condition::parse(&source) {
            let mut fuel = Fuel::for_request();
            let said = ask(&condition, &identity(&claims()), &mut fuel);
            prop_assert_ne!(said, Err(Trouble::Panicked));
            prop_assert!(fuel.spent() <= Fuel::PER_REQUEST);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(source in "\\PC{0,60}") {
        let _ = Condition::parse(&source);
    }

    #[test]
    fn any_words_in_any_order_are_read_or_refused(words in prop::collection::vec(prop::sample::select(vec![
        "now", "identity", ".", "claims", "(", ")", "[", "]", "&&", "||", "!", "-", "in", "has", "?", ":", "'a'", "1",
        "r'", "\\", "0x", "1e", "==", ",", "x", "all", "{", "//", "\n", "é",
    ]), 0..40)) {
        let _ = Condition::parse(&words.concat());
    }
}
