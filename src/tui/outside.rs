//! Other programs: the editor, and the shell that the explorer was started from.

use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus};

/// The name of the user's editor, and the command that opens a file at a line in it.
pub(super) fn editor(
    variable: impl Fn(&str) -> Option<String>,
    file: &Path,
    line: u32,
) -> (String, Command) {
    let is_set = |name: &&str| variable(name).filter(|value| !value.trim().is_empty());
    let set = ["VISUAL", "EDITOR"].iter().find_map(is_set);
    let set = set.unwrap_or_else(|| "vi".to_owned());
    let mut words = set.split_whitespace();
    let program = words.next().unwrap_or("vi").to_owned();
    let mut command = Command::new(&program);
    command.args(words);
    let place = format!("{}:{line}", file.display());
    match Path::new(&program)
        .file_name()
        .and_then(|name| name.to_str())
    {
        Some("code" | "codium" | "code-insiders") => command.args(["--wait", "--goto", &place]),
        Some("hx" | "helix" | "subl" | "zed") => command.arg(place),
        _ => command.arg(format!("+{line}")).arg(file),
    };
    (program, command)
}

/// Stops the process group, as the shell's Ctrl+Z does; returns when the shell continues it.
pub(super) fn stop() -> io::Result<ExitStatus> {
    Command::new("sh").args(["-c", "kill -STOP 0"]).status()
}

/// Whether nobody could continue this process once it has stopped (`ssh host metrex`): then it leads its session.
pub(super) fn leads_session() -> bool {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let session = after_name.split_whitespace().nth(3);
    session == Some(&std::process::id().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(is: Option<&str>) -> String {
        let (program, command) = editor(|_| is.map(str::to_owned), Path::new("/p/a.yaml"), 12);
        let arguments: Vec<_> = command
            .get_args()
            .map(|word| word.to_string_lossy())
            .collect();
        format!("{program} {}", arguments.join(" "))
    }

    #[test]
    fn editors_are_opened_at_the_line() {
        assert_eq!(opened(None), "vi +12 /p/a.yaml");
        assert_eq!(opened(Some("nano -w")), "nano -w +12 /p/a.yaml");
        assert_eq!(opened(Some("/usr/bin/hx")), "/usr/bin/hx /p/a.yaml:12");
        assert_eq!(opened(Some("code")), "code --wait --goto /p/a.yaml:12");
    }
}
