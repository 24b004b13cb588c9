//! What rules and conditions in audit mode would have refused, each by itself.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::authz::Policy;
use crate::authz::policy::Mode;

/// Counters of each resource: rules by their places, `None` for the condition.
#[derive(Debug, Default)]
pub(super) struct WatchedRules(Vec<Vec<(Option<usize>, Counter)>>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    resource: String,
    rule: String,
}

impl WatchedRules {
    /// A series for each that is in audit mode, by itself or with its resource. Without any there is no metric.
    pub(super) fn register(registry: &mut Registry, policies: &[Policy]) -> Self {
        let family = Family::<Labels, Counter>::default();
        let counters = |policy: &Policy| {
            let counter = |rule: Option<usize>| {
                let name = rule.map_or("condition".to_owned(), |index| format!("tool_rules[{index}]"));
                let labels = Labels { resource: policy.resource.to_string(), rule: name };
                (rule, family.get_or_create_owned(&labels))
            };
            watched(policy).into_iter().map(counter).collect()
        };
        let counters = Self(policies.iter().map(counters).collect());
        if counters.resources().any(|watched| watched) {
            let help = "Requests that a rule or condition in audit mode would have refused";
            registry.register("rule_would_refuse", help, family);
        }
        counters
    }

    /// Whether each resource has any.
    pub(super) fn resources(&self) -> impl Iterator<Item = bool> {
        self.0.iter().map(|counters| !counters.is_empty())
    }

    pub(super) fn count(&self, index: Option<usize>, rule: Option<usize>) {
        let counters = index.and_then(|index| self.0.get(index)).into_iter().flatten();
        if let Some((_, counter)) = counters.into_iter().find(|(known, _)| *known == rule) {
            counter.inc();
        }
    }
}

fn watched(policy: &Policy) -> Vec<Option<usize>> {
    let rules = policy.operations.rules.iter().enumerate();
    let rules = rules.filter(|(_, rule)| rule.mode == Mode::Audit || policy.audit_only()).map(|(index, _)| Some(index));
    let has_condition = policy.condition.is_some() || policy.operations.condition.is_some();
    rules.chain((has_condition && policy.audit_only()).then_some(None)).collect()
}
