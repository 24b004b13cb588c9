//! Conditions about claims and addresses, for callers who have none: what is missing opens nothing, asked either way round.

use super::Presented::{Bound, Jwt, Key, Opaque};
use super::{Stage, call, verdict};
use crate::support::report::Report;

#[test]
fn what_a_condition_forbids_is_not_escaped_with_another_kind_of_credential() {
    const NO: &str = "condition_false";
    // Alice's tokens say department=sales and blocked=true, whether they are read or asked about; keys say neither.
    let rows = [
        ("!has(identity.claims.blocked)", [NO, NO, NO]),
        ("!(identity.claims.blocked == true)", [NO, NO, NO]),
        ("identity.claims.blocked != true", [NO, NO, NO]),
        ("has(identity.claims.blocked) ? false : true", [NO, NO, NO]),
        ("!('blocked' in identity.claims)", [NO, NO, NO]),
        ("identity.claims.department == 'sales'", ["ok", "ok", NO]),
        ("has(identity.claims.department)", ["ok", "ok", NO]),
        ("identity.claims.department != 'kitchen'", ["ok", "ok", NO]),
        ("identity.email == 'alice@example.com'", ["ok", "ok", NO]),
        ("identity.email != 'bob@example.com'", ["ok", "ok", NO]),
        ("!(identity.email == 'bob@example.com')", ["ok", "ok", NO]),
        ("!identity.email.endsWith('@evil.example')", ["ok", "ok", NO]),
        ("has(identity.email) || 'robots' in identity.groups", ["ok", "ok", "ok"]),
        ("identity.subject.startsWith('api-key:')", [NO, NO, "ok"]),
        ("!('staff' in identity.groups)", [NO, NO, "ok"]),
        ("operation.name == 'read_it' && !has(identity.claims.blocked)", [NO, NO, NO]),
        ("operation.name == 'read_it' && identity.email != 'bob@example.com'", ["ok", "ok", NO]),
    ];
    let (mut tables, mut report) = (Vec::new(), Report::new("conditions"));
    for (index, (condition, _)) in rows.iter().enumerate() {
        tables.push((format!("/whole{index}"), format!("condition = \"\"\"{condition}\"\"\"")));
        let rule = format!("[[resources.tool_rules]]\nnames = [\"read_*\"]\ncondition = \"\"\"{condition}\"\"\"");
        tables.push((format!("/rule{index}"), rule));
    }
    let tables: Vec<_> = tables.iter().map(|(path, more)| (&**path, &**more)).collect();
    let stage = Stage::start(&tables);
    for (index, (condition, expected)) in rows.into_iter().enumerate() {
        for path in [format!("/whole{index}"), format!("/rule{index}")] {
            for (presented, expected) in [Jwt, Opaque, Key].into_iter().zip(expected) {
                report.row(format!("{condition} {presented:?} at {path}"));
                report.equal("verdict", verdict(&stage.ask(presented, &path, call("read_it"))), expected);
            }
            report.row(format!("{condition} bound at {path}"));
            report.equal("verdict", verdict(&stage.ask(Bound, &path, call("read_it"))), expected[0]);
        }
    }
    report.finish();
}
