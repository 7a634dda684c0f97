//! The templates, and the page that they make.

use std::borrow::Cow;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Error, Output, State, Value, context, escape_formatter};
use schemas::printable;

use super::super::chart;
use super::super::error::ReportError;
use super::ReportOptions;
use super::content::{Card, Section};

/// Every template, by the name under which the others include it.
const TEMPLATES: [(&str, &str); 5] = [
    ("page.html", include_str!("templates/page.html")),
    ("blocks.html", include_str!("templates/blocks.html")),
    ("colours.css", chart::COLOURS),
    ("chart.css", chart::STYLE),
    ("style.css", include_str!("templates/style.css")),
];

/// The page of `sections`.
///
/// # Errors
/// When a template is not valid, which a test rules out.
pub(super) fn render(
    options: &ReportOptions,
    facts: &[[String; 2]],
    cards: &[Card],
    sections: &[Section],
) -> Result<String, ReportError> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_formatter(put);
    for (name, text) in TEMPLATES {
        environment.add_template(name, text)?;
    }
    let template = environment.get_template("page.html")?;
    let page = context! {
        title => options.title.clone(),
        version => options.version.clone(),
        facts => Serde(facts),
        cards => Serde(cards),
        sections => Serde(sections),
    };
    Ok(template.render(page)?)
}

/// Puts `value` on the page, escaped; text from data steers the reader's browser as little as a terminal.
fn put(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    match value.as_str().filter(|_| !value.is_safe()).map(printable) {
        Some(Cow::Owned(text)) => escape_formatter(out, state, &Value::from(text)),
        _ => escape_formatter(out, state, value),
    }
}
