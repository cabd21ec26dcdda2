//! Changing a PostgreSQL database: statements in one transaction that may write.

use tokio_util::sync::CancellationToken;

use super::connect::Session;
use super::{Postgres, error};
use crate::warehouse::WarehouseError;

impl Postgres {
    /// Runs the statements, all or nothing.
    pub(in crate::warehouse) async fn write(
        &self,
        statements: &[String],
        cancel: &CancellationToken,
    ) -> Result<(), WarehouseError> {
        let session = Session::connect(&self.target).await?;
        let run = |sql: String| {
            let client = &session.client;
            async move {
                let done = client.batch_execute(&sql).await;
                done.map_err(|error| error::running(&error, &self.target, &sql))
            }
        };
        let work = async {
            run(self.begin.replacen("BEGIN READ ONLY", "BEGIN", 1)).await?;
            for statement in statements {
                run(statement.clone()).await?;
            }
            run("COMMIT".to_owned()).await
        };
        match cancel.run_until_cancelled(work).await {
            Some(done) => done,
            None => {
                // The server would otherwise go on until it next looks at the connection.
                let _ = session.canceller.cancel().await;
                Err(WarehouseError::cancelled())
            }
        }
    }
}
