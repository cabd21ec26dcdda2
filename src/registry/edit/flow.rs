//! A map between brackets, taken apart into lines.

/// The text of `{a: 1, b: [2, 3]}` as `a: 1` and `b: [2, 3]`, and the comment behind it. `None` where it is no such map,
/// or has comments inside.
pub(super) fn pieces(text: &str) -> Option<(Vec<String>, Option<String>)> {
    let mut depth = 0_usize;
    let mut quote: Option<char> = None;
    let mut pieces = vec![String::new()];
    let mut chars = text.char_indices().peekable();
    let mut before = ' ';
    while let Some((at, c)) = chars.next() {
        let push = |pieces: &mut Vec<String>| {
            if let Some(last) = pieces.last_mut() {
                last.push(if c == '\n' { ' ' } else { c });
            }
        };
        match (quote, c) {
            (Some('"'), '\\') => {
                push(&mut pieces);
                if let (Some((_, next)), Some(last)) = (chars.next(), pieces.last_mut()) {
                    last.push(next);
                }
            }
            (Some(open), c) => {
                push(&mut pieces);
                if c == open {
                    quote = None;
                }
            }
            (None, '#') if before.is_whitespace() => return None,
            // Within a plain scalar, a quote is a letter.
            (None, '"' | '\'') if before.is_whitespace() || "{[,:".contains(before) => {
                quote = Some(c);
                push(&mut pieces);
            }
            (None, '{' | '[') => {
                depth += 1;
                if depth > 1 {
                    push(&mut pieces);
                }
            }
            (None, '}' | ']') => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    let rest = text.get(at + 1..)?.trim();
                    let comment = (!rest.is_empty()).then(|| rest.to_owned());
                    if comment.as_ref().is_some_and(|rest| !rest.starts_with('#')) {
                        return None;
                    }
                    return Some((tidy(pieces), comment));
                }
                push(&mut pieces);
            }
            (None, ',') if depth == 1 => pieces.push(String::new()),
            (None, _) => push(&mut pieces),
        }
        before = c;
    }
    None
}

/// The pieces as single lines.
fn tidy(pieces: Vec<String>) -> Vec<String> {
    let pieces = pieces.into_iter().map(|piece| piece.trim().to_owned());
    pieces.filter(|piece| !piece.is_empty()).collect()
}
