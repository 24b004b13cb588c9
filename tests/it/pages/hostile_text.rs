//! Names, scopes and addresses that want to be more than text.

use super::samples;
use super::server::pages;
use crate::support::report::Report;

/// What attackers call their clients.
fn attacks() -> Vec<(&'static str, String)> {
    [
        ("an element", "<script>alert(1)</script>"),
        ("an end and an element", "</title></style></bdi><img src=x onerror=alert(1)>"),
        ("an attribute in double quotes", "\" autofocus onfocus=\"alert(1)\" x=\""),
        ("an attribute in single quotes", "' autofocus onfocus='alert(1)' x='"),
        ("an attribute without quotes", " autofocus onfocus=alert(1) "),
        ("an entity", "&lt;script&gt;alert(1)&lt;/script&gt; &#60;b&#62; &amp"),
        ("a template", "{{ 7 * 7 }}{% raw %}${7*7}<%= 7 %>"),
        ("a comment", "<!-- --><![CDATA[ ]]>-->"),
        ("another meta element", "\"><meta http-equiv=\"refresh\" content=\"0;url=https://evil.example\">"),
        ("a form of its own", "</form><form action=\"https://evil.example\"><input name=email>"),
        ("line breaks", "Claude\r\n\r\nVerified by Example Notes\u{2028}\u{2029}\u{85}"),
        ("a turn of direction", "Notes \u{202e}eduaS\u{202c} \u{2066}x\u{2069}\u{200f}\u{61c}"),
        ("hidden characters", "Cla\u{200b}u\u{ad}de\u{feff}\u{2060}\u{e0041}\u{180e}\u{3164}"),
        ("control characters", "\u{0}\u{8}\u{1b}[31mClaude\u{7f}\u{9b}\u{fffe}"),
        ("marks that climb", "C\u{30d}\u{30d}\u{30d}\u{30d}\u{30d}\u{30d}laude"),
    ]
    .map(|(name, text)| (name, text.to_owned()))
    .into_iter()
    .chain([
        ("ten kilobytes in one word", "W".repeat(10_240)),
        ("ten kilobytes of markup", "<b>".repeat(3_414)),
        ("ten kilobytes of nothing", "\u{202e}".repeat(10_240)),
        ("nothing", String::new()),
    ])
    .collect()
}

/// The tags of a page, each with the names of its attributes: what its shape is made of.
fn shape(html: &str) -> Vec<String> {
    let tags = html.split('<').skip(1).map(|rest| rest.split_once('>').map_or(rest, |(tag, _)| tag));
    tags.map(|tag| {
        // Values stand in double quotes everywhere in the templates.
        let names = tag.split('"').step_by(2).map(str::trim);
        names.collect::<Vec<_>>().join(" ")
    })
    .collect()
}

#[test]
fn text_from_outside_never_changes_the_shape_of_a_page() {
    let mut report = Report::new("hostile text");
    for (attack, text) in attacks() {
        // Where there is nothing to show, a page may say so in words of its own.
        let harmless = if text.trim_matches('\u{202e}').is_empty() { "" } else { "Claude" };
        for ((name, hostile), (_, expected)) in samples::all(Some(&text)).iter().zip(samples::all(Some(harmless))) {
            report.row(format!("{attack} on {name}"));
            let (seen, expected) = (pages().show(&**hostile), pages().show(&*expected));
            report.equal("shape", shape(seen.html()), shape(expected.html()));
        }
    }
    report.finish();
}

#[test]
fn hidden_characters_reach_no_page() {
    let mut report = Report::new("hidden characters");
    for (attack, text) in attacks() {
        for (name, sample) in samples::all(Some(&text)) {
            report.row(format!("{attack} on {name}"));
            let html = pages().show(&*sample).html().to_owned();
            let hidden = |char: &char| {
                let turns = matches!(char, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
                let hides = matches!(
                    char,
                    '\u{200b}' | '\u{ad}' | '\u{feff}' | '\u{2060}' | '\u{e0041}' | '\u{180e}' | '\u{3164}'
                );
                turns || hides || (char.is_control() && *char != '\n')
            };
            report.equal("characters", html.chars().filter(hidden).collect::<Vec<_>>(), Vec::<char>::new());
        }
    }
    report.finish();
}

#[test]
fn long_text_is_cut() {
    let mut report = Report::new("long text");
    let longest = |text: &str| {
        samples::all(Some(text))
            .into_iter()
            .map(|(name, sample)| {
                let html = pages().show(&*sample).html().to_owned();
                (name, html.matches('W').count())
            })
            .collect::<Vec<_>>()
    };
    for (name, count) in longest(&"W".repeat(10_240)) {
        report.row(name);
        report.holds(count <= 6_000, || format!("shows {count} characters"));
    }
    report.finish();
}

#[test]
fn a_name_is_shown_where_there_is_one_and_missed_where_there_is_none() {
    let shown = |text: &str| pages().show(&samples::consent(Some(text))).html().to_owned();
    assert!(shown("Claude").contains("Allow <bdi class=\"name\">Claude</bdi> to use"));
    for nothing in ["", " \u{200b}", "\u{202e}\u{202d}"] {
        assert!(shown(nothing).contains("Allow an app without a name to use"), "{nothing:?}");
    }
    let long = shown(&"W".repeat(10_240));
    assert!(long.contains(&format!("Allow <bdi class=\"name\">{}…</bdi>", "W".repeat(59))), "{long}");
}
