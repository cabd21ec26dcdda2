//! Questions in plain words, and what was chosen for their words.

use super::Engine;
use crate::session::{Answered, AskOptions, Meaning, Thumb};
use crate::tui::message::{AskNews, Message, Notice};

impl Engine {
    /// Answers a question in plain words and sends its news.
    pub(super) fn answer_question(
        &mut self,
        generation: u64,
        question: String,
        options: AskOptions,
        chosen: Option<(String, Meaning)>,
    ) {
        let cancel = self.cancelled_by(generation);
        let done = cancel.clone().drop_guard();
        let (session, sender) = (self.session.clone(), self.sender.clone());
        self.runtime.spawn(async move {
            let _done = done;
            let (keep, text) = (session.clone(), question.clone());
            let keep = move || {
                keep.keep_question(&text);
                if let Some((words, meaning)) = chosen {
                    keep.choose(&text, &words, &meaning);
                }
            };
            // The history is a file. Where it cannot be written, the answer is as good.
            let _ = tokio::task::spawn_blocking(keep).await;
            let stages = sender.clone();
            let stage = move |stage| {
                let news = AskNews::Stage(stage);
                // A full queue means that newer stages will follow anyway.
                let _ = stages.try_send(Message::Ask { generation, news });
            };
            let asked = session.ask(&question, &options, cancel, stage).await;
            let news = AskNews::Ended(Box::new(asked));
            let _ = sender.send(Message::Ask { generation, news }).await;
        });
    }

    /// Notes whether the answer to a query is right.
    pub(super) fn feedback(&self, line: String, thumb: Thumb, words: Option<String>) {
        let (session, sender) = (self.session.clone(), self.sender.clone());
        self.runtime.spawn_blocking(move || {
            let said = session.feedback(&Answered::Line(line), thumb, words.as_deref());
            let said = match said {
                Ok(_) if thumb == Thumb::Up => {
                    Notice::Info("noted: the answer is right".to_owned())
                }
                Ok(_) => Notice::Info(
                    "noted: the answer is wrong; ask again for what was meant".to_owned(),
                ),
                Err(error) => Notice::Error(error.message),
            };
            let _ = sender.blocking_send(Message::Notice(said));
        });
    }

    /// Notes that an answer was of use.
    pub(super) fn reused(&self, line: String) {
        let session = self.session.clone();
        self.runtime
            .spawn_blocking(move || session.note_reuse(&line));
    }

    /// Forgets what was chosen for words.
    pub(super) fn forget(&self, words: String) {
        let (session, sender) = (self.session.clone(), self.sender.clone());
        self.runtime.spawn_blocking(move || {
            session.forget_choice(&words);
            let said = Notice::Info(format!("forgotten what '{words}' was chosen to mean"));
            let _ = sender.blocking_send(Message::Notice(said));
        });
    }
}
