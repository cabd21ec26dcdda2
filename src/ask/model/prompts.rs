//! The prompts: minijinja templates in `templates/prompts/`, which a project may replace.
//!
//! Everything a template prints is written as JSON, so that no template can leave out the quotation marks around what
//! is data; only the filter `raw`, for the project's own snippets and our own words, prints as it is.

use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};
use serde::Serialize;

/// The templates that come with the program.
const BUILTIN: [(&str, &str); 6] = [
    (
        "intent_system.j2",
        include_str!("../../../templates/prompts/intent_system.j2"),
    ),
    (
        "intent.j2",
        include_str!("../../../templates/prompts/intent.j2"),
    ),
    (
        "snippet_system.j2",
        include_str!("../../../templates/prompts/snippet_system.j2"),
    ),
    (
        "snippet.j2",
        include_str!("../../../templates/prompts/snippet.j2"),
    ),
    (
        "rule_system.j2",
        include_str!("../../../templates/prompts/rule_system.j2"),
    ),
    (
        "rule.j2",
        include_str!("../../../templates/prompts/rule.j2"),
    ),
];

/// The compiled prompts of a project.
#[derive(Debug)]
pub struct Prompts {
    environment: Environment<'static>,
}

impl Prompts {
    /// The built-in prompts with some replaced by a project: (file name, text).
    ///
    /// # Errors
    /// The file and line that does not parse.
    pub fn new(overrides: Vec<(String, String)>) -> Result<Self, String> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.add_filter("raw", |value: Value| {
            Value::from_safe_string(value.as_str().unwrap_or_default().to_owned())
        });
        environment.set_formatter(|out, _, value| {
            let text = match (value.is_safe(), value.as_str()) {
                (true, Some(text)) => text.to_owned(),
                (false, Some(text)) => json_text(text),
                (_, None) => {
                    let why = "prompts print only texts";
                    return Err(Error::new(ErrorKind::InvalidOperation, why));
                }
            };
            out.write_str(&text)
                .map_err(|_| Error::new(ErrorKind::WriteFailure, "the prompt could not be written"))
        });
        for (name, text) in BUILTIN {
            environment
                .add_template(name, text)
                .map_err(|error| failed(&error))?;
        }
        for (name, text) in overrides {
            environment
                .add_template_owned(name, text)
                .map_err(|error| failed(&error))?;
        }
        Ok(Self { environment })
    }

    pub(super) fn write(&self, template: &str, values: Value) -> Result<String, String> {
        self.environment
            .get_template(template)
            .and_then(|template| template.render(values))
            .map_err(|error| failed(&error))
    }
}

/// Data for a prompt, as JSON.
pub(super) fn json(data: &impl Serialize) -> Value {
    // Plain data always has a JSON form.
    Value::from_safe_string(serde_json::to_string(data).unwrap_or_default())
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn failed(error: &Error) -> String {
    let at = match (error.name(), error.line()) {
        (Some(name), Some(line)) => format!("templates/prompts/{name}:{line}: "),
        (Some(name), None) => format!("templates/prompts/{name}: "),
        _ => String::new(),
    };
    let detail = error.detail().map(|detail| format!(": {detail}"));
    format!("{at}{}{}", error.kind(), detail.unwrap_or_default())
}
