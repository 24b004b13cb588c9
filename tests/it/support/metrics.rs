//! `/metrics`, read strictly: whatever `OpenMetrics` 1.0 does not allow fails the test.

use std::collections::{BTreeMap, BTreeSet};

/// One value with its labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

/// Everything that one scrape told.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Family name → type.
    pub types: BTreeMap<String, String>,
    pub samples: Vec<Sample>,
}

impl Metrics {
    /// Reads the text format of `OpenMetrics` 1.0, line by line.
    pub fn parse(text: &str) -> Self {
        assert!(text.ends_with("\n# EOF\n"), "the exposition must end with # EOF: {text}");
        let mut metrics = Self { types: BTreeMap::new(), samples: Vec::new() };
        let mut helps = BTreeSet::new();
        for line in text.lines().take_while(|line| *line != "# EOF") {
            let words: Vec<&str> = line.splitn(4, ' ').collect();
            match words.as_slice() {
                ["#", "HELP", family, help] if !help.is_empty() => {
                    assert!(helps.insert((*family).to_owned()), "HELP twice: {line}");
                }
                ["#", "TYPE", family, kind @ ("counter" | "gauge" | "histogram")] => {
                    let before = metrics.types.insert((*family).to_owned(), (*kind).to_owned());
                    assert!(before.is_none(), "TYPE twice: {line}");
                }
                _ => {
                    let sample = parse_sample(line).unwrap_or_else(|| panic!("no sample: {line:?}"));
                    assert!(metrics.family_of(&sample.name).is_some(), "a sample before its TYPE: {line}");
                    assert!(metrics.find(&sample.name, &sample.labels).is_none(), "a sample twice: {line}");
                    metrics.samples.push(sample);
                }
            }
        }
        assert_eq!(helps, metrics.types.keys().cloned().collect(), "every family has HELP and TYPE");
        metrics
    }

    /// The family of a sample, by the suffixes that its type allows.
    pub fn family_of(&self, sample: &str) -> Option<&str> {
        let fits = |(family, kind): &(&String, &String)| {
            let suffixes: &[&str] = match kind.as_str() {
                "counter" => &["_total"],
                "histogram" => &["_bucket", "_count", "_sum"],
                _ => &[""],
            };
            sample.strip_prefix(family.as_str()).is_some_and(|rest| suffixes.contains(&rest))
        };
        self.types.iter().find(fits).map(|(family, _)| family.as_str())
    }

    fn find(&self, name: &str, labels: &BTreeMap<String, String>) -> Option<&Sample> {
        self.samples.iter().find(|sample| sample.name == name && sample.labels == *labels)
    }

    /// The value of the one sample that has this name (without the common prefix) and at least these labels.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let name = format!("mcp_forward_auth_{name}");
        let has = |sample: &&Sample| {
            labels.iter().all(|(key, value)| sample.labels.get(*key).is_some_and(|known| known == value))
        };
        let found: Vec<&Sample> = self.samples.iter().filter(|sample| sample.name == name).filter(has).collect();
        assert_eq!(found.len(), 1, "{name}{labels:?}: {found:?}");
        found[0].value
    }
}

fn parse_sample(line: &str) -> Option<Sample> {
    let end = line.find(['{', ' '])?;
    let name = line[..end].to_owned();
    let (labels, value) = match line[end..].strip_prefix('{') {
        Some(rest) => parse_labels(rest)?,
        None => (BTreeMap::new(), &line[end..]),
    };
    let value = value.strip_prefix(' ')?.parse().ok()?;
    is_name(&name).then_some(Sample { name, labels, value })
}

fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|char| char.is_ascii_alphanumeric() || char == '_')
}

/// `key="value",…} rest`, with the escapes `\\`, `\"` and `\n`.
fn parse_labels(mut text: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        let (key, rest) = text.split_once("=\"")?;
        let mut value = String::new();
        let mut chars = rest.char_indices();
        let end = loop {
            match chars.next()? {
                (place, '"') => break place,
                (_, '\\') => value.push(match chars.next()?.1 {
                    'n' => '\n',
                    plain @ ('"' | '\\') => plain,
                    _ => return None,
                }),
                (_, char) => value.push(char),
            }
        };
        if !is_name(key) || labels.insert(key.to_owned(), value).is_some() {
            return None;
        }
        text = &rest[end + 1..];
        match text.strip_prefix(',') {
            Some(rest) => text = rest,
            None => return Some((labels, text.strip_prefix('}')?)),
        }
    }
}
