//! Writing the result to a file: the dialog, the start, the progress, the end.

use std::path::{Path, PathBuf};

use super::expense;
use crate::session::cell::counted;
use crate::session::files::{FILE_EXISTS, FileFormat, FileTarget, FileWritten};
use crate::session::{Failure, SessionError};
use crate::tui::action::Action;
use crate::tui::files::{FileDialog, FileJob, JobRows, Saving, rows_here, stem};
use crate::tui::message::{Effect, FileNews, Notice};
use crate::tui::popup::{Answered, Expensive, Popup, Question};
use crate::tui::state::State;

/// Opens the dialog; while a file is being written it shows how far it is.
pub(super) fn open(state: &mut State) {
    let format = state.file_format;
    let mut dialog = FileDialog {
        input: Default::default(),
        all: false,
    };
    dialog
        .input
        .set(&stem(&state.result.query, state.setting.today));
    dialog.set_format(format);
    if let Some(folder) = &state.file_folder {
        let path = folder.join(dialog.input.text());
        dialog.input.set(&path.to_string_lossy());
    }
    state.popups.push(Popup::File(Box::new(dialog)));
}

/// The dialog on top, unless a file is being written, when there is nothing to be typed.
pub(super) fn dialog(state: &mut State) -> Option<&mut FileDialog> {
    match (&state.saving, state.popups.last_mut()) {
        (None, Some(Popup::File(dialog))) => Some(dialog),
        _ => None,
    }
}

/// Up and Down choose the form.
pub(super) fn step(state: &mut State, action: Action) {
    if let Some(dialog) = dialog(state) {
        match action {
            Action::Up => dialog.step(false),
            Action::Down => dialog.step(true),
            _ => {}
        }
    }
}

/// Takes the rows that are here, or all of them from the warehouse.
pub(super) fn all_rows(state: &mut State) {
    if let Some(dialog) = dialog(state) {
        dialog.all = !dialog.all;
    }
}

/// Starts to write what the dialog says.
pub(super) fn write(state: &mut State, replace: bool, anyway: bool) -> Vec<Effect> {
    let rows = rows_here(state);
    let folder = state.setting.folder.clone();
    let Some(dialog) = dialog(state) else {
        return Vec::new();
    };
    let typed = dialog.input.text().trim().to_owned();
    let (format, all) = (dialog.format(), dialog.all);
    let start = rows.map_err(String::from).and_then(|rows| {
        let known = FileFormat::known();
        let format = format.ok_or_else(|| format!("the ending says the format: {known}"))?;
        Ok((rows, format))
    });
    let ((table, rows), format) = match start {
        Ok(start) => start,
        Err(reason) => {
            state.notice = Some(Notice::Error(reason));
            return Vec::new();
        }
    };
    let path = match typed.starts_with('~') {
        true => PathBuf::from(&typed),
        false => folder.join(&typed),
    };
    let generation = state.next_generation();
    state.file_format = format;
    state.file_folder = Path::new(&typed).parent().map(Path::to_owned);
    state.saving = Some(Saving {
        generation,
        tab: state.id,
        replace,
        path: path.clone(),
        rows: 0,
        of: (!all).then_some(rows.run.rows),
    });
    let rows = match all {
        true => JobRows::Warehouse(rows.compiled, rows.connection),
        false => JobRows::Here(table, Box::new(rows)),
    };
    let to = FileTarget {
        path,
        format,
        replace,
    };
    let job = Box::new(FileJob { to, rows });
    vec![Effect::WriteFile {
        generation,
        job,
        anyway,
    }]
}

/// Stops writing.
pub(super) fn stop(state: &mut State) -> Vec<Effect> {
    match state.saving {
        Some(_) => vec![Effect::StopWriting],
        None => Vec::new(),
    }
}

/// Takes news of a file; of an earlier one they are dropped.
pub(super) fn news(state: &mut State, generation: u64, news: FileNews) {
    let Some(saving) = &mut state.saving else {
        return;
    };
    if saving.generation != generation {
        return;
    }
    match news {
        FileNews::Rows(rows) => saving.rows = rows,
        FileNews::Ended(outcome) => {
            let Saving { tab, replace, .. } = saving.clone();
            state.saving = None;
            match outcome {
                Ok(written) => {
                    let is_dialog = |popup: &Popup| matches!(popup, Popup::File(_));
                    state.popups.retain(|popup| !is_dialog(popup));
                    for tab in state.tabs.asides() {
                        tab.popups.retain(|popup| !is_dialog(popup));
                    }
                    state.notice = Some(Notice::Info(said(&written)));
                }
                // What is asked now is asked where the file was asked for.
                Err(error) => match state.find_tab(|other| other.id == tab) {
                    Some(tab) => state.in_tab(tab, |state| failed(state, error, replace)),
                    None => failed(state, error, replace),
                },
            }
        }
    }
}

fn failed(state: &mut State, error: SessionError, replace: bool) {
    let is_open = matches!(state.popups.last(), Some(Popup::File(_)));
    if error.failure == Failure::Expensive && is_open {
        expense::ask(state, &error, Expensive::File(replace));
    } else if error.code() == FILE_EXISTS && is_open {
        let text = format!("{}. Replace it?", error.message);
        state.popups.push(Popup::Question(Question {
            text,
            yes: Answered::ReplaceFile,
        }));
    } else if error.failure == Failure::Interrupted {
        let said = "stopped; no file was written".to_owned();
        state.notice = Some(Notice::Info(said));
    } else {
        state.notice = Some(Notice::Error(error.message));
    }
}

fn said(written: &FileWritten) -> String {
    let rows = usize::try_from(written.run.rows).unwrap_or(usize::MAX);
    let cut = if written.run.truncated { ", cut" } else { "" };
    let name = |path: &Path| {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    let beside = written.beside.as_deref().and_then(name);
    let beside = beside.map_or_else(String::new, |name| format!(" (and {name})"));
    format!(
        "{}{cut} in {}{beside}",
        counted(rows, "row"),
        written.path.display()
    )
}
