//! Every kind of credential at every kind of resource: the verdict, who is named to the server, and who is asked.

use serde_json::json;

use super::Presented::{self, *};
use super::{INVENTED, OPAQUE, OPAQUE_BOUND, Stage, call, question, verdict};
use crate::support::assertion::{HEADER, verified};
use crate::support::http::Response;
use crate::support::report::Report;

const RULES: &str = "[[resources.tool_rules]]\nnames = [\"delete_*\"]\ndeny = true\n\
                     [[resources.tool_rules]]\nnames = [\"write_*\"]\nrequired_scopes = [\"mcp:write\"]";
const WATCHED_RULES: &str = "mode = \"audit\"\nidentity_assertion = true\n[[resources.tool_rules]]\ndeny = true";
const CREDENTIALS: [Presented; 15] = [
    Nothing,
    Preflight,
    Jwt,
    Bound,
    BoundAsBearer,
    BoundWithoutProof,
    JwtAsDpop,
    Opaque,
    OpaqueAsDpop,
    OpaqueBound,
    OpaqueBoundAsBearer,
    OpaqueBoundWithoutProof,
    Key,
    KeyAsDpop,
    Invented,
];

fn stage() -> Stage {
    Stage::start(&[
        ("/plain", ""),
        ("/strict", "dpop_required = true\nidentity_assertion = true"),
        ("/pages", "browser_sign_in = true"),
        ("/asserted", "identity_assertion = true"),
        ("/rules", RULES),
        ("/strict-rules", &format!("dpop_required = true\nidentity_assertion = true\n{RULES}")),
        ("/watched", WATCHED_RULES),
        ("/watched-strict", &WATCHED_RULES.replacen("mode", "dpop_required = true\nmode", 1)),
    ])
}

/// Where tokens need not be bound.
const fn usual(presented: Presented) -> &'static str {
    match presented {
        Preflight | Jwt | Bound | Opaque | OpaqueBound | Key => "ok",
        Nothing => "missing_token",
        BoundWithoutProof | OpaqueBoundWithoutProof => "invalid_dpop_proof",
        BoundAsBearer | JwtAsDpop | OpaqueAsDpop | OpaqueBoundAsBearer | KeyAsDpop | Invented => "invalid_token",
    }
}

/// Where they must.
const fn strict(presented: Presented) -> &'static str {
    match presented {
        Preflight | Bound | OpaqueBound => "ok",
        Nothing => "missing_token",
        BoundWithoutProof | OpaqueBoundWithoutProof => "invalid_dpop_proof",
        Jwt | BoundAsBearer | JwtAsDpop | Opaque | OpaqueAsDpop | OpaqueBoundAsBearer | Key | KeyAsDpop | Invented => {
            "invalid_token"
        }
    }
}

#[test]
fn every_credential_counts_where_it_should_and_nowhere_else() {
    let stage = stage();
    let mut report = Report::new("credentials");
    for presented in CREDENTIALS {
        for path in ["/plain", "/pages", "/asserted"] {
            report.row(format!("{presented:?} at {path}"));
            report.equal("verdict", verdict(&stage.ask(presented, path, None)), usual(presented));
        }
        report.row(format!("{presented:?} at /strict"));
        report.equal("verdict", verdict(&stage.ask(presented, "/strict", None)), strict(presented));
        for (tool, when_good) in
            [("read_it", "ok"), ("delete_it", "operation_not_allowed"), ("write_it", "insufficient_scope")]
        {
            for (path, at_all) in [("/rules", usual(presented)), ("/strict-rules", strict(presented))] {
                report.row(format!("{presented:?} calls {tool} at {path}"));
                // A preflight asks for nothing, so rules have nothing to say about it.
                let expected = if at_all == "ok" && presented != Preflight { when_good } else { at_all };
                report.equal("verdict", verdict(&stage.ask(presented, path, call(tool))), expected);
            }
        }
        for path in ["/rules", "/strict-rules"] {
            let at_all = if path == "/rules" { usual(presented) } else { strict(presented) };
            let expected = if at_all == "ok" && presented != Preflight { "operation_unknown" } else { at_all };
            for (name, body) in [("nothing", None), ("an empty batch", Some("[]".to_owned()))] {
                report.row(format!("{presented:?} with {name} at {path}"));
                report.equal("verdict", verdict(&stage.ask(presented, path, body)), expected);
            }
        }
    }
    report.finish();
}

/// Audit mode lets everything through; whoever was not proven is not named, and nobody is vouched for.
#[test]
fn audit_mode_names_and_vouches_for_nobody_whom_enforcement_would_not_know() {
    let stage = stage();
    let mut report = Report::new("audit");
    for presented in CREDENTIALS {
        for (path, known) in [("/watched", usual(presented)), ("/watched-strict", strict(presented))] {
            report.row(format!("{presented:?} at {path}"));
            let answer = stage.ask(presented, path, call("delete_it"));
            report.equal("verdict", verdict(&answer), "ok");
            report.equal("assertion", answer.header(HEADER), Some(""));
            let somebody = known == "ok" && presented != Preflight;
            report.equal("named", !told(&answer).is_empty(), somebody);
        }
    }
    report.finish();
}

/// Whom the server is told of.
fn told(answer: &Response) -> String {
    answer.header("X-Auth-Subject").unwrap_or_default().to_owned()
}

#[test]
fn assertions_say_who_was_proven_by_whichever_credential() {
    let stage = stage();
    let mut report = Report::new("assertions");
    let issuer = stage.issuer.url();
    for (presented, subject, of, email) in [
        (Jwt, "alice-subject", &*issuer, json!("alice@example.com")),
        (Bound, "alice-subject", &issuer, json!("alice@example.com")),
        (Opaque, "alice-subject", &issuer, json!("alice@example.com")),
        (OpaqueBound, "alice-subject", &issuer, json!("alice@example.com")),
        (Key, "api-key:backup", "https://auth.example.com", json!(null)),
    ] {
        report.row(format!("{presented:?}"));
        let request = stage.request(presented, "/asserted", None).header(HEADER, "forged");
        let answer = request.send(stage.service.port);
        let assertion = answer.header(HEADER).unwrap_or_default().to_owned();
        match verified(&stage.service, &assertion, "https://mcp.example.com/asserted") {
            Err(error) => report.fail(format!("{error}: {answer:?}")),
            Ok(said) => {
                report.equal("sub", &said["sub"], &json!(subject));
                report.equal("token_issuer", &said["token_issuer"], &json!(of));
                report.equal("email", &said["email"], &email);
            }
        }
        // What was made for one credential is handed to nobody else.
        report.equal("told", told(&answer), subject);
    }
    report.finish();
}

/// What we gave out, and what only looks like it, is shown to nobody, under either scheme.
#[test]
fn an_issuer_is_asked_about_its_opaque_tokens_and_about_nothing_else() {
    let stage = stage();
    for presented in CREDENTIALS {
        for path in ["/plain", "/strict", "/pages", "/asserted", "/rules", "/watched", "/watched-strict"] {
            stage.ask(presented, path, call("read_it"));
        }
    }
    for token in [INVENTED, "mfa_", "mfr_secret", "mfa_%41", "mfa_ x", "mfx_y"] {
        stage.ask(Nothing, "/plain", None);
        question("POST", "/plain").bearer(token).send(stage.service.port);
    }
    let asked = stage.asked_about();
    // Once for all of them: the answer is remembered.
    assert_eq!(asked, [OPAQUE, OPAQUE_BOUND]);
}

/// A key that is used at a resource for bound tokens is refused with a challenge that says why.
#[test]
fn a_refused_key_reads_what_is_asked_for_in_the_terms_of_dpop() {
    let stage = stage();
    let mut report = Report::new("challenges");
    for (presented, path, scheme) in [
        (Key, "/strict", "DPoP "),
        (Jwt, "/strict", "DPoP "),
        (Nothing, "/strict", "DPoP "),
        (KeyAsDpop, "/plain", "DPoP "),
        (OpaqueAsDpop, "/plain", "DPoP "),
        (OpaqueBoundAsBearer, "/plain", "DPoP "),
        (OpaqueBoundWithoutProof, "/plain", "DPoP "),
        (BoundAsBearer, "/plain", "DPoP "),
        (Nothing, "/plain", "Bearer "),
        (Invented, "/plain", "Bearer "),
    ] {
        report.row(format!("{presented:?} at {path}"));
        let challenges = stage.ask(presented, path, None).all("www-authenticate").join(" | ");
        report.holds(challenges.starts_with(scheme), || format!("{challenges:?}"));
        report.holds(!challenges.contains("mfa_") && !challenges.contains(OPAQUE), || "a token is told".to_owned());
    }
    report.row("the log");
    let output = stage.service.whole_output();
    let secrets = [&*stage.key, OPAQUE, &stage.key[4..]];
    report.holds(!secrets.iter().any(|secret| output.contains(secret)), || "a token is logged".to_owned());
    report.finish();
}
