//! Who acts: the name that the history of a definition has.

use std::path::Path;

use super::Session;
use super::git::Repository;

impl Session {
    /// The user as git knows them in the project, `Ada <ada@example.com>`, else `$USER`.
    pub fn who(&self) -> String {
        let root = self.project().root.as_deref();
        of(root.or_else(|| self.project().folder()))
    }
}

/// The user as git knows them in a folder, else `$USER`.
pub(super) fn of(folder: Option<&Path>) -> String {
    let repository = folder.and_then(Repository::find);
    let told = |key: &str| {
        let text = repository.as_ref()?.git(&["config", key]).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    let user = || std::env::var("USER").ok().filter(|user| !user.is_empty());
    match (told("user.name"), told("user.email")) {
        (Some(name), Some(email)) => format!("{name} <{email}>"),
        (Some(name), None) => name,
        (None, _) => user().unwrap_or_else(|| "somebody".to_owned()),
    }
}
