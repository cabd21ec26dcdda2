//! `give_feedback`: says whether an answer was right.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mcp::call::Call;
use crate::mcp::error::{ToolError, clean};
use crate::mcp::tool::Tool;
use crate::session::{Answered, Session, Thumb};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct GiveFeedback {
    /// Whether the answer was right.
    right: bool,
    /// A word about it: what was wrong, what was meant.
    words: Option<String>,
    /// The query line of the answer, as the reply to it said; left out, the last answer.
    query: Option<String>,
}

/// What was said of which answer.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct Said {
    /// The number of the query in the log.
    id: i64,
    /// Its query line.
    query: String,
    /// Whether it was right.
    right: bool,
}

impl Tool for GiveFeedback {
    const NAME: &'static str = "give_feedback";
    const TITLE: &'static str = "Say whether an answer was right";
    const DESCRIPTION: &'static str = "Notes in metrex's own log, not in the warehouse, whether the user found an answer right. Call it when the \
        user says so, in either direction; never on your own judgement.";
    const ONLY_READS: bool = false;
    type Reply = Said;

    async fn run(self, call: &Call) -> Result<Said, ToolError> {
        call.ask(move |session| self.say(session)).await?
    }
}

impl GiveFeedback {
    fn say(self, session: &Session) -> Result<Said, ToolError> {
        let answered = self.query.map_or(Answered::Last, Answered::Line);
        let thumb = if self.right { Thumb::Up } else { Thumb::Down };
        let logged = session.feedback(&answered, thumb, self.words.as_deref())?;
        Ok(Said {
            id: logged.id,
            query: clean(&logged.record.line),
            right: self.right,
        })
    }
}
