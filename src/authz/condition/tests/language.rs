//! What conditions say: names, operators, functions, loops, and what is neither true nor false.

use super::super::Trouble;
use super::{explain, says};

const TRUE: [&str; 84] = [
    // names
    "identity.issuer == 'https://idp.example.com'",
    "identity.subject == \"alice-1\"",
    "identity.client == 'client-1'",
    "identity.email == 'alice@example.com'",
    "identity.user_name == 'alice'",
    "'ops' in identity.groups",
    "'mcp:write' in identity.scopes",
    "identity.expires_at > now",
    "identity.expires_at - now == duration('10m')",
    "request.method == 'POST' && request.scheme == 'https' && request.host == 'mcp.example.com'",
    "request.path == '/mcp/x'",
    "!has(request.origin)",
    "resource.url == 'https://mcp.example.com/mcp' && resource.name == 'notes'",
    "operation.method == 'tools/call'",
    "operation.name.startsWith(identity.user_name + '/')",
    "operation.params.tenant in identity.claims.tenants",
    "operation.params['tenant'] == 'red' && 'tenant' in operation.params",
    "operation.arguments.path.startsWith('/home/' + identity.user_name + '/')",
    "operation.arguments.size <= 10 && operation.arguments.deep.list[0] == 1",
    // claims
    "identity.claims.department == 'sales'",
    "identity.claims['https://example.com/roles'].exists(role, role == 'admin')",
    "identity.claims.address.country == 'DE'",
    "identity.claims.address.lines[1] == 'b'",
    "has(identity.claims.department) && !has(identity.claims.missing)",
    "has(identity.claims.address.country) && !has(identity.claims.address.city)",
    "'department' in identity.claims && !('missing' in identity.claims)",
    "identity.claims.level >= 3 && identity.claims.level < 4",
    "identity.claims.vip",
    "identity.claims.nothing == null",
    "identity.claims.level != 'three'",
    "identity.claims.ratio == 0.5",
    "timestamp(identity.claims.auth_time) > now - duration('2m')",
    "now < timestamp(identity.claims.until)",
    "size(identity.claims.address) == 2",
    // logic
    "identity.claims.missing == 1 || true",
    "true || identity.claims.missing == 1",
    "!(identity.claims.missing == 1 && false)",
    "false ? identity.claims.missing : identity.claims.vip",
    "!(!identity.claims.vip)",
    "identity.claims.vip ? request.method == 'POST' : false",
    // numbers
    "identity.claims.level + 4 * 2 == 11",
    "identity.claims.level * 2 % 4 == 2",
    "identity.claims.level / 2 == 1",
    "-identity.claims.level == -3",
    "identity.claims.level - 5 == -2",
    "identity.claims.level == 3.0",
    "identity.claims.level < 3.5 && 2.5 < identity.claims.level",
    "9223372036854775807 > identity.claims.level && -9223372036854775808 < identity.claims.level",
    "9007199254740993 != 9007199254740992.0 || now == now && false",
    "double(identity.claims.level) / 2.0 == 1.5",
    "int('42') == identity.claims.level + 39",
    "int(now) == 1785231000",
    "string(identity.claims.level) == '3'",
    "0x10 == identity.claims.level + 13",
    // texts
    "size(identity.user_name) == 5 && identity.user_name.size() == 5",
    "identity.email.endsWith('@example.com') && identity.email.contains('@')",
    "identity.email.matches('^[a-z]+@example[.]com$')",
    "matches(identity.email, 'example')",
    "identity.user_name + '@example.com' == identity.email",
    "identity.user_name < 'bob'",
    "identity.user_name == '\\x61l\\u0069\\143e'",
    "r'\\x61' != identity.user_name && identity.user_name != 'über // no comment'",
    "'ALICE'.lowerAscii() == identity.user_name // a comment",
    // time
    "now.getHours() == 9 && now.getMinutes() == 30 && now.getSeconds() == 0",
    "now.getHours('+02:00') == 11 && now.getHours('-10:00') == 23",
    "now.getDayOfWeek() == 2 && now.getDate() == 28 && now.getDayOfMonth() == 27",
    "now.getMonth() == 6 && now.getFullYear() == 2026 && now.getDayOfYear() == 208",
    "now.getDayOfWeek() in [1, 2, 3, 4, 5] && now.getHours('+02:00') >= 8 && now.getHours('+02:00') < 18",
    "now - timestamp('2026-07-28T00:00:00Z') < duration('10h')",
    "(now - timestamp('2026-07-28T00:00:00Z')).getHours() == 9",
    "timestamp('2026-07-28T00:00:00Z') + duration('9h30m') == now",
    // lists
    "identity.groups.exists(group, group.startsWith('team-'))",
    "identity.groups.all(group, size(group) > 2)",
    "identity.groups.exists_one(group, group == 'ops')",
    "size(identity.groups.filter(group, group.startsWith('team-'))) == 1",
    "identity.claims.numbers.map(n, n * 2) == [2, 4, 6]",
    "identity.claims.numbers.map(n, n > 1, n * 2).exists(n, n == 6)",
    "identity.claims.mixed.exists(item, item > 0) && 'a' in identity.claims.mixed && [1, 'a'][1] == request.host || true",
    "identity.claims.ratio + 0.25 == 0.75 && identity.claims.ratio - 0.25 == 0.25 && identity.claims.ratio * 4.0 == 2.0",
    "-identity.claims.ratio == -0.5 && double(identity.claims.ratio) == 0.5 && now == now",
    "string(identity.claims.vip) == 'true' && now == now",
    "size(operation.params) == 1",
    "now - timestamp('2026-07-28T00:00:00Z') + duration('30m') == duration('10h')",
    "identity.groups.map(group, group.lowerAscii()).exists(group, group == 'ops')",
];

const FALSE: [&str; 19] = [
    "identity.user_name == 'bob'",
    "'admins' in identity.groups",
    "identity.claims.level == '3'",
    "identity.claims.missing == 1 && false",
    "false && identity.claims.missing == 1",
    "identity.claims.numbers.all(n, n > 1)",
    "identity.groups.exists(group, group == 'x')",
    "identity.groups.exists_one(group, true)",
    "now > identity.expires_at",
    "now.getDayOfWeek() == 0 || now.getDayOfWeek() == 6",
    "identity.claims.numbers == [1, 2]",
    "identity.claims.address == identity.claims",
    "null in identity.claims.numbers",
    "identity.claims.level > 3.5",
    "identity.email.matches('^example$')",
    "[] == identity.claims.numbers",
    "identity.email.startsWith('example')",
    "identity.email.endsWith('alice')",
    "identity.email.contains('bob')",
];

const TROUBLE: [(&str, Trouble); 32] = [
    ("identity.claims.missing == 1", Trouble::Absent),
    ("!(identity.claims.missing == 1)", Trouble::Absent),
    ("request.origin == 'https://app.example.com'", Trouble::Absent),
    ("operation.params.other == 'red'", Trouble::Absent),
    ("operation.arguments.missing == 1", Trouble::Absent),
    ("has(identity.claims.missing.deeper)", Trouble::Absent),
    ("identity.groups[7] == 'ops'", Trouble::Absent),
    ("identity.groups[-1] == 'ops'", Trouble::Absent),
    ("identity.claims.missing || identity.claims.missing", Trouble::Absent),
    ("identity.claims.level", Trouble::Kind),
    ("identity.claims.department > 3", Trouble::Kind),
    ("identity.claims.department.inner == 3", Trouble::Kind),
    ("identity.claims.level.startsWith('3')", Trouble::Kind),
    ("identity.claims.vip + 1 == 2", Trouble::Kind),
    ("identity.claims.department.exists(x, true)", Trouble::Kind),
    ("identity.claims.numbers.all(n, n)", Trouble::Kind),
    ("timestamp(identity.claims.department) < now", Trouble::Kind),
    ("identity.claims.level / 0 == 1", Trouble::Arithmetic),
    ("identity.claims.level % (identity.claims.level - 3) == 1", Trouble::Arithmetic),
    ("identity.claims.level + 9223372036854775807 > 0", Trouble::Arithmetic),
    ("identity.claims.huge > 0", Trouble::Arithmetic),
    ("int(1e300 * double(identity.claims.level)) > 0", Trouble::Arithmetic),
    ("identity.claims['address'].missing == 1", Trouble::Absent),
    ("int(identity.claims.department) == 3", Trouble::Kind),
    ("double(identity.claims.department) == 3.0", Trouble::Kind),
    ("duration(identity.claims.department) < duration('1h')", Trouble::Kind),
    ("identity.claims.department - identity.claims.department == 'b'", Trouble::Kind),
    ("size(identity.claims.level) == 1", Trouble::Kind),
    ("now - identity.claims.level > duration('1h')", Trouble::Kind),
    ("duration('1h') + identity.claims.level > now", Trouble::Kind),
    ("-(identity.claims.level - 9223372036854775807 - 4) > 0 && now == now", Trouble::Arithmetic),
    ("timestamp(1e300 * double(identity.claims.level)) > now", Trouble::Arithmetic),
];

/// All of them, for the oracle.
pub(super) fn sources() -> Vec<&'static str> {
    TRUE.into_iter().chain(FALSE).chain(TROUBLE.map(|(source, _)| source)).collect()
}

#[test]
fn true_is_true_and_false_is_false() {
    let expected = TRUE.map(|source| (source, true)).into_iter().chain(FALSE.map(|source| (source, false)));
    let wrong: Vec<_> = expected
        .map(|(source, expected)| (source, expected, says(source)))
        .filter(|(_, expected, said)| *said != Ok(*expected))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_neither_is_told_without_values() {
    let wrong: Vec<_> = TROUBLE
        .into_iter()
        .map(|(source, expected)| (source, expected, says(source)))
        .filter(|(_, expected, said)| *said != Err(*expected))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn an_explanation_tells_what_was_read_and_what_came_of_it() {
    let source =
        "has(identity.claims.missing) || identity.claims.level > 3 && identity.email == 'x' || 'a' in identity.groups";
    let explanation = explain(source);
    let seen: Vec<_> = explanation.seen.iter().map(|seen| (seen.name.as_str(), seen.value.as_deref())).collect();
    let expected = [
        ("has(identity.claims.missing)", Some("false")),
        ("identity.claims.level", Some("3")),
        ("identity.groups", Some("a list of 2")),
    ];
    assert_eq!((explanation.source.as_str(), explanation.outcome, seen), (source, Ok(false), expected.to_vec()));
    let absent = explain("identity.claims.missing == 1 && now > timestamp('2026-01-01T00:00:00Z')");
    let seen: Vec<_> = absent.seen.iter().map(|seen| (seen.name.as_str(), seen.value.as_deref())).collect();
    let expected = [("identity.claims.missing", None), ("now", Some("1785231000 seconds after 1970"))];
    assert_eq!((absent.outcome, seen), (Err(Trouble::Absent), expected.to_vec()));
}

#[test]
fn numbers_of_both_kinds_are_compared_exactly() {
    for (source, expected) in [
        ("identity.claims.level + 9007199254740990 == 9007199254740992.0", false),
        ("identity.claims.level + 9007199254740989 == 9007199254740992.0", true),
        ("identity.claims.level + 9223372036854775804 < 9223372036854775808.0", true),
        ("identity.claims.level < 1.0 / 0.0", true),
        ("identity.claims.level < 0.0 / 0.0 || identity.claims.level >= 0.0 / 0.0", false),
    ] {
        assert_eq!(says(source), Ok(expected), "{source}");
    }
}
