//! Counts for people.

/// A number with its noun: `1 row`, `271,907 rows`.
pub fn counted(count: u64, noun: &str) -> String {
    let count_said = thousands(count);
    match noun.strip_suffix('y') {
        _ if count == 1 => format!("{count_said} {noun}"),
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{count_said} {stem}ies"),
        _ => format!("{count_said} {noun}s"),
    }
}

/// `271907` -> `271,907`.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
