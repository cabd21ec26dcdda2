//! Stands in for the query log and the value index until those rooms are there.
#![allow(missing_docs)]
pub mod index {
    use crate::model::*;
    use crate::warehouse::*;
    use std::path::Path;
    use tokio_util::sync::CancellationToken;
    pub struct ValueIndex;
    #[derive(Debug, thiserror::Error)]
    pub enum IndexError {
        #[error("w")]
        Warehouse(WarehouseError),
        #[error("c")]
        Cancelled,
        #[error("o")]
        Other,
    }
    pub struct IndexColumn {
        pub table: String,
        pub column: String,
    }
    pub struct Progress {
        pub table: String,
        pub column: String,
    }
    impl Progress {
        pub fn share(&self) -> f64 {
            0.0
        }
    }
    impl std::fmt::Display for Progress {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            Ok(())
        }
    }
    pub struct Report;
    impl std::fmt::Display for Report {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            Ok(())
        }
    }
    pub fn plan(_: &Registry) -> Vec<IndexColumn> {
        vec![]
    }
    pub async fn reindex(
        _: &Warehouse,
        _: &ValueIndex,
        _: Vec<IndexColumn>,
        _: bool,
        _: impl FnMut(Progress) + Send,
        _: &CancellationToken,
    ) -> Result<Report, IndexError> {
        Ok(Report)
    }
    impl ValueIndex {
        pub fn open(_: &Path) -> Result<Self, IndexError> {
            Ok(Self)
        }
        pub fn values(
            &self,
            _: &str,
            _: &str,
            _: &str,
            _: usize,
        ) -> Result<Vec<(String, u64)>, IndexError> {
            Ok(vec![])
        }
        pub fn updated_at(&self, _: &str, _: &str) -> Option<jiff::Timestamp> {
            None
        }
        pub fn age(&self) -> Option<jiff::Timestamp> {
            None
        }
    }
    impl ValueLookup for ValueIndex {
        fn state(&self, _: &str, _: &str) -> ColumnState {
            ColumnState::Missing
        }
        fn contains(&self, _: &str, _: &str, _: &str) -> bool {
            false
        }
        fn nearest(&self, _: &str, _: &str, _: &str, _: usize) -> Vec<String> {
            Vec::new()
        }
    }
}
pub mod usage {
    use std::collections::HashMap;
    use std::path::Path;
    pub struct Usage;
    #[derive(Debug, thiserror::Error)]
    #[error("x")]
    pub struct UsageError;
    pub enum Outcome {
        Ok,
        Cancelled,
        Failed(String),
    }
    pub struct QueryRecord {
        pub at: jiff::Timestamp,
        pub line: String,
        pub metrics: Vec<String>,
        pub connection: String,
        pub ms: u64,
        pub rows: u64,
        pub outcome: Outcome,
    }
    #[derive(Clone)]
    pub struct HistoryEntry {
        pub line: String,
    }
    impl Usage {
        pub fn open(_: &Path) -> Result<Self, UsageError> {
            Ok(Self)
        }
        pub fn record(&self, _: QueryRecord) {}
        pub fn counts(&self) -> Result<HashMap<String, u64>, UsageError> {
            Ok(HashMap::new())
        }
        pub fn history(&self, _: usize) -> Result<Vec<HistoryEntry>, UsageError> {
            Ok(vec![])
        }
    }
}
