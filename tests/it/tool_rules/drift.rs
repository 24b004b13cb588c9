//! The files that send the body differ from the usual ones in nothing else.

use crate::support::tools::project;

#[test]
fn the_variants_add_lines_and_change_none() {
    for (usual, variant) in
        [("traefik/dynamic.yml", "traefik/dynamic-with-body.yml"), ("envoy/envoy.yaml", "envoy/envoy-with-body.yaml")]
    {
        let read = |file: &str| std::fs::read_to_string(project().join(file)).unwrap();
        let (usual_text, variant_text) = (read(usual), read(variant));
        let mut rest = variant_text.lines();
        let lacking: Vec<&str> = usual_text.lines().skip(1).filter(|line| !rest.any(|other| other == *line)).collect();
        assert!(lacking.is_empty(), "{variant} lacks lines of {usual}: {lacking:#?}");
        let added = variant_text.lines().count() - usual_text.lines().count();
        assert!(added <= 7, "{variant} has {added} lines more than {usual}");
    }
}
