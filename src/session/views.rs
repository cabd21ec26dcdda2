//! Saved queries of the project: written into its files, and taken out again.

use serde_json::{Map, json};
use tokio_util::sync::CancellationToken;

use super::{NotPublished, Publication, Session, SessionError};
use crate::model::MetricQuery;
use crate::registry::edit::{Edit, fields};

/// The section that they are in.
const SECTION: &str = "views";
/// The file that new ones go to.
const FILE: &str = "metrics/bookmarks.yaml";

/// A query to be saved.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedQuery {
    /// Its name.
    pub name: String,
    /// What it shows, in plain words; may be empty.
    pub description: String,
    /// The query.
    pub query: MetricQuery,
}

impl Session {
    /// Saves a query in the project, one of the same name only where `replace` says so. Returns the file.
    ///
    /// # Errors
    /// The code is `view_exists` where the name is taken and `replace` does not say so. Else the name is no
    /// name, or it cannot be published; nothing is changed then.
    pub async fn save_view(
        &self,
        view: &SavedQuery,
        replace: bool,
        cancel: CancellationToken,
    ) -> Result<String, SessionError> {
        let name = &view.name;
        let catalog = self.catalog();
        let known = catalog.registry.views.get(name);
        let path = known.map_or(FILE, |old| catalog.registry.file(old.place));
        // What is on disk now counts, and not what was read last.
        let now = self.file_text(path)?;
        let now = self.as_if(&[(path, now.as_deref())]).catalog();
        if let Some(old) = now.registry.views.get(name).filter(|_| !replace) {
            let at = now.registry.at(old.place);
            let message = format!("'{name}' is saved already ({at}): {}", old.query);
            return Err(SessionError::usage("view_exists", message));
        }
        let mut keys = Map::new();
        let description = view.description.trim();
        if !description.is_empty() {
            keys.insert("description".to_owned(), json!(description));
        }
        keys.insert("query".to_owned(), json!(view.query.to_string()));
        let put = Edit::Put {
            section: SECTION.to_owned(),
            name: name.clone(),
            body: fields(&keys),
        };
        let file = self.publish_view(path, put, cancel).await?;
        let (session, line) = (self.clone(), view.query.to_string());
        let _ = tokio::task::spawn_blocking(move || session.note_reuse(&line)).await;
        Ok(file)
    }

    /// Takes a saved query out of the project. Returns the file it was in.
    ///
    /// # Errors
    /// There is none of this name, or that cannot be published; nothing is changed then.
    pub async fn delete_view(
        &self,
        name: &str,
        cancel: CancellationToken,
    ) -> Result<String, SessionError> {
        let catalog = self.catalog();
        let Some(old) = catalog.registry.views.get(name) else {
            let message = format!("there is no saved query '{name}'");
            return Err(SessionError::usage("view_name", message));
        };
        let path = catalog.registry.file(old.place);
        let take = Edit::Take {
            section: SECTION.to_owned(),
            name: name.to_owned(),
        };
        Ok(self.publish_view(path, take, cancel).await?)
    }

    async fn publish_view(
        &self,
        path: &str,
        edit: Edit,
        cancel: CancellationToken,
    ) -> Result<String, NotPublished> {
        let publication = Publication {
            files: vec![self.edited(path, &[edit])?],
            ..Publication::default()
        };
        self.publish(&publication, cancel).await?;
        Ok(path.to_owned())
    }
}
