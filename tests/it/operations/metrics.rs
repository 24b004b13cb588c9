//! `/metrics`: the format that Prometheus reads, and numbers that move as decisions are made.

use super::{AUDITED, RESOURCE, Stage, asking};
use crate::support::metrics::Metrics;
use crate::support::report::Report;

const PREFIX: &str = "mcp_forward_auth_";

#[test]
fn the_page_is_what_its_content_type_says() {
    let stage = Stage::start("");
    let page = stage.service.admin("/metrics");
    assert_eq!(page.status, 200);
    let expected = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(page.header("content-type"), Some(expected));
    let metrics = Metrics::parse(&page.text());
    let types: Vec<(&str, &str)> = metrics
        .types
        .iter()
        .map(|(family, kind)| (family.strip_prefix(PREFIX).expect(family), kind.as_str()))
        .collect();
    assert_eq!(
        types,
        [
            ("api_keys", "gauge"),
            ("decision_duration_seconds", "histogram"),
            ("decisions", "counter"),
            ("issuer_keys", "gauge"),
            ("issuer_keys_age_seconds", "gauge"),
            ("issuer_keys_failures", "counter"),
            ("issuer_keys_refreshes", "counter"),
            ("log_lines_dropped", "counter"),
            ("token_cache_bytes", "gauge"),
            ("token_cache_entries", "gauge"),
            ("token_cache_hits", "counter"),
            ("token_cache_misses", "counter"),
        ]
    );
}

#[test]
fn each_outcome_is_counted_once_under_its_own_labels() {
    let stage = Stage::start("");
    let mut report = Report::new("counters");
    for (outcome, reason, resource, request) in stage.every_outcome() {
        report.row(format!("{outcome} {reason} {resource}"));
        let before = stage.service.metrics();
        let answer = request.send(stage.service.port);
        let after = stage.service.metrics();
        let moved: Vec<_> = after
            .samples
            .iter()
            .filter(|sample| sample.name == "mcp_forward_auth_decisions_total" && !before.samples.contains(sample))
            .map(|sample| {
                let label = |name: &str| sample.labels[name].clone();
                (label("outcome"), label("reason"), label("resource"), sample.value)
            })
            .collect();
        let counted =
            before.value("decisions_total", &[("outcome", outcome), ("reason", reason), ("resource", resource)]);
        let expected = vec![(outcome.to_owned(), reason.to_owned(), resource.to_owned(), counted + 1.0)];
        report.equal("what moved", moved, expected);
        let decided = |metrics: &Metrics| metrics.value("decision_duration_seconds_count", &[]);
        report.equal("the histogram's count", decided(&after), decided(&before) + 1.0);
        let status = match outcome {
            "allow" | "audit" => 200,
            "unauthenticated" => 401,
            "undecidable" => 503,
            _ => 403,
        };
        report.equal("the status", answer.status, status);
        if status != 200 {
            report.equal("the reason in the answer", answer.json()["reason"].as_str(), Some(reason));
        }
    }
    report.finish();
}

#[test]
fn every_series_is_there_from_the_start_and_clients_add_none() {
    let stage = Stage::start("");
    let series = |metrics: &Metrics| -> Vec<String> {
        metrics.samples.iter().map(|sample| format!("{}{:?}", sample.name, sample.labels)).collect()
    };
    let before = stage.service.metrics();
    for (_, _, _, request) in stage.every_outcome() {
        stage.send(&request);
    }
    for index in 0..20 {
        stage.send(&asking(&format!("https://host-{index}.example/path-{index}")));
        stage.send(
            &asking(RESOURCE)
                .bearer(&stage.token(|token| token.claim("iss", format!("https://issuer-{index}.example")))),
        );
    }
    assert_eq!(series(&stage.service.metrics()), series(&before));
}

#[test]
fn the_histogram_is_one() {
    let stage = Stage::start("");
    (0..50).for_each(|_| assert_eq!(stage.send(&stage.allowed()), 200));
    let metrics = stage.service.metrics();
    let buckets: Vec<(f64, f64)> = metrics
        .samples
        .iter()
        .filter(|sample| sample.name == "mcp_forward_auth_decision_duration_seconds_bucket")
        .map(|sample| (sample.labels["le"].parse().unwrap(), sample.value))
        .collect();
    assert!(
        buckets.len() > 5 && buckets.is_sorted_by(|left, right| left.0 < right.0 && left.1 <= right.1),
        "{buckets:?}"
    );
    let count = metrics.value("decision_duration_seconds_count", &[]);
    assert_eq!(buckets.last().unwrap(), &(f64::INFINITY, count));
    assert!(count >= 51.0);
    let sum = metrics.value("decision_duration_seconds_sum", &[]);
    assert!(sum > 0.0 && sum.is_finite());
}

#[test]
fn keys_and_cache_are_told() {
    let stage = Stage::start("");
    let up = [("issuer", stage.issuer.url())];
    let down = [("issuer", stage.down.url())];
    let figure =
        |name: &str, issuer: &[(&str, String); 1]| stage.service.metrics().value(name, &[(issuer[0].0, &issuer[0].1)]);
    assert_eq!(figure("issuer_keys", &up), 1.0);
    assert_eq!(figure("issuer_keys_refreshes_total", &up), 1.0);
    assert_eq!(figure("issuer_keys_failures_total", &up), 0.0);
    assert!(figure("issuer_keys_age_seconds", &up) < 60.0);
    assert_eq!(figure("issuer_keys", &down), 0.0);
    assert_eq!(figure("issuer_keys_refreshes_total", &down), 0.0);
    assert_eq!(figure("issuer_keys_age_seconds", &down), f64::INFINITY);
    crate::support::process::eventually("its failures are counted", || {
        figure("issuer_keys_failures_total", &down) >= 2.0
    });

    let cache = |name: &str| stage.service.metrics().value(name, &[]);
    let (hits, misses) = (cache("token_cache_hits_total"), cache("token_cache_misses_total"));
    let token = stage.token(|token| token.claim("aud", vec![RESOURCE, AUDITED]).claim("sub", "somebody new"));
    assert_eq!(stage.send(&asking(RESOURCE).bearer(&token)), 200);
    assert_eq!((cache("token_cache_hits_total"), cache("token_cache_misses_total")), (hits, misses + 1.0));
    assert_eq!(stage.send(&asking(RESOURCE).bearer(&token)), 200);
    assert_eq!(stage.send(&asking(AUDITED).bearer(&token)), 200);
    assert_eq!((cache("token_cache_hits_total"), cache("token_cache_misses_total")), (hits + 2.0, misses + 1.0));
    assert_eq!(cache("log_lines_dropped_total"), 0.0);
}
