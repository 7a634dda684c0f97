//! The templates, and the page that they make.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, context};

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
