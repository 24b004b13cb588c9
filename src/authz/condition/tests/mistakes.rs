//! What is refused when the service starts, and where the message points.

use super::super::Condition;

const MISTAKES: [(&str, &str, &str); 54] = [
    ("", "1:1", "where a value is expected"),
    ("now >", "1:6", "the condition ends where a value is expected"),
    ("now > now)", "1:10", "there is ) where an operator or the end is expected"),
    ("(now > now", "1:11", "the condition ends where ) is expected"),
    ("identity.claims.x = 3", "1:19", "nothing can be assigned"),
    ("identity.claims.x & true", "1:19", "'&' has no meaning"),
    ("identty.email == 'x'", "1:1", "there is no variable identty"),
    ("identity.emial == 'x'", "1:10", "identity has no emial"),
    ("request.query == 'x'", "1:9", "request has no query"),
    ("request.headers['x'] == 'x'", "1:9", "request has no headers"),
    ("identity == 'x'", "1:1", "identity is no value by itself"),
    ("identity['email'] == 'x'", "1:9", "identity has no index"),
    ("alice == identity.user_name", "1:1", "there is no variable alice"),
    ("identity.email.domain == 'x'", "1:16", "a text has no members"),
    ("now\n  > identity.claims.x\n  && nonsense()", "3:6", "there is no function nonsense"),
    ("'ü' == identity.email && x", "1:26", "there is no variable x"),
    ("true", "1:1", "the same for every request"),
    ("1 == 1", "1:3", "the same for every request"),
    ("'a' in ['a']", "1:5", "the same for every request"),
    ("identity.email", "1:10", "a condition cannot be a text"),
    ("identity.groups", "1:10", "a condition cannot be a list"),
    ("1 + identity.claims.x", "1:3", "a condition cannot be a whole number"),
    ("identity.email && true", "1:10", "a text is neither true nor false"),
    ("!identity.email", "1:11", "a text is neither true nor false"),
    ("identity.email == 3", "1:16", "== does not go with a text and a whole number"),
    ("identity.email == null", "1:16", "== does not go with a text and null"),
    ("identity.email < 3", "1:16", "< does not go with"),
    ("now > 3", "1:5", "> does not go with a moment and a whole number"),
    ("now + now > now", "1:5", "+ does not go with"),
    ("identity.email - 'x' == ''", "1:16", "- does not go with"),
    ("3 in identity.groups", "1:3", "in does not go with"),
    ("'x' in identity.email", "1:5", "in does not go with"),
    ("-identity.email == 'x'", "1:1", "a text has no negative"),
    ("size(now) > 0", "1:1", "a moment has no size"),
    ("has(identity)", "1:5", "has() asks for a member"),
    ("has(identity.emial)", "1:14", "identity has no emial"),
    ("identity.email.matches(identity.user_name)", "1:33", "a pattern must be written out"),
    ("identity.email.matches('(')", "1:24", "the pattern cannot be used"),
    ("identity.email.matches('(a{99}){99}')", "1:24", "the pattern cannot be used"),
    ("identity.groups.all(g, identity.groups.all(h, g == h))", "1:40", "loops cannot stand inside each other"),
    ("identity.groups.all(now, true)", "1:21", "now is a variable already"),
    ("identity.groups.all('g', true)", "1:21", "a loop names its item first"),
    ("identity.groups.map(g, g)", "1:17", "a condition cannot be a list"),
    ("identity.email.all(g, true)", "1:16", "a text is no list"),
    ("now.getHours('Europe/Berlin') > 8", "1:14", "time zones are known as offsets only"),
    ("now > timestamp('tomorrow')", "1:17", "it is no moment"),
    ("now - now > duration('1 week')", "1:22", "it is no duration"),
    ("identity.claims.x == 99999999999999999999", "1:22", "no number of 64 bits"),
    ("identity.claims.x == 0X1f", "1:22", "no number of 64 bits"),
    ("identity.claims.x == 5u", "1:22", "unsigned numbers are not known"),
    ("identity.claims.x == b'x'", "1:22", "bytes are not known"),
    ("identity.claims == {'a': 1}", "1:20", "maps cannot be written"),
    ("identity.email == 'x", "1:19", "the text has no end"),
    ("identity.email == '\\q'", "1:20", "there is no such escape"),
];

/// Kinds that do not go together, whichever side is known.
const OF_KINDS: [(&str, &str, &str); 8] = [
    ("identity.user_name + 3 == 'x'", "1:20", "+ does not go with"),
    ("now * 2 > now", "1:5", "* does not go with"),
    ("identity.user_name % 2 == 0", "1:20", "% does not go with"),
    ("3 % identity.user_name == 0", "1:3", "% does not go with"),
    ("3 - identity.user_name == 0", "1:3", "- does not go with"),
    ("identity.claims.x * 'a' == 1", "1:19", "* does not go with"),
    ("3 * 2.5 == identity.claims.x", "1:3", "* does not go with"),
    ("now.startsWith('a')", "1:1", "a moment is no text"),
];

#[test]
fn each_mistake_is_told_with_its_place() {
    let told =
        |source: &str| Condition::parse(source).map_or_else(|mistake| mistake.to_string(), |_| "no mistake".to_owned());
    let wrong: Vec<_> = MISTAKES
        .into_iter()
        .chain(OF_KINDS)
        .map(|(source, place, rule)| (source, format!("at {place} "), rule, told(source)))
        .filter(|(_, place, rule, told)| !(told.starts_with(place.as_str()) && told.contains(rule)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
