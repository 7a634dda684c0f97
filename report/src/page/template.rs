//! The templates, and the page that they make.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, context};

use super::ReportOptions;
use super::content::{Card, Section};
use stages::stage::StageError;

/// Every template, by the name under which the others include it.
const TEMPLATES: [(&str, &str); 4] = [
    ("page.html", include_str!("templates/page.html")),
    ("blocks.html", include_str!("templates/blocks.html")),
    ("chart.html", include_str!("templates/chart.html")),
    ("style.css", include_str!("templates/style.css")),
];

/// The page of `sections`.
///
/// # Errors
/// When a template is not valid, which a test rules out.
pub fn render(
    options: &ReportOptions,
    facts: &[[String; 2]],
    cards: &[Card],
    sections: &[Section],
) -> Result<String, StageError> {
    let failed = |error: minijinja::Error| {
        StageError::config(format!("the page cannot be set: {error:#}"), "this is a bug; please report it")
    };
    let mut environment = Environment::new();
    environment
        .set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().map_err(failed)?);
    for (name, text) in TEMPLATES {
        environment.add_template(name, text).map_err(failed)?;
    }
    let template = environment.get_template("page.html").map_err(failed)?;
    let page = context! {
        title => options.title.clone(),
        version => options.version.clone(),
        facts => Serde(facts),
        cards => Serde(cards),
        sections => Serde(sections),
    };
    template.render(page).map_err(failed)
}
