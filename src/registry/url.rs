//! How PostgreSQL connections are written, as a URL or as `key=value` pairs: where secrets stand and what may be shown.

/// A text that leads to a server.
pub(super) struct Url<'a>(pub(super) &'a str);

impl<'a> Url<'a> {
    /// The scheme and the rest of a URL; `None` for `key=value` pairs.
    fn parts(&self) -> Option<(&'a str, &'a str)> {
        let is_scheme = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric());
        self.0
            .split_once("://")
            .filter(|(scheme, _)| is_scheme(scheme))
    }

    /// Every password in it. What cannot be told from a password counts as one.
    pub(super) fn passwords(&self) -> Vec<&'a str> {
        let Some((_, rest)) = self.parts() else {
            let pairs = pairs(self.0).into_iter();
            return pairs
                .filter_map(|(key, value)| key.ends_with("password").then_some(value))
                .collect();
        };
        // The last @ ends a password; one that is written as it is may hold every other sign, too.
        let of_user = rest
            .rsplit_once('@')
            .and_then(|(credentials, _)| Some(credentials.split_once(':')?.1));
        let parameters = rest.split(['?', '&']).skip(1);
        let of_parameter = parameters.filter_map(|parameter| {
            let (key, value) = parameter.split_once('=')?;
            // No key needs percent signs, except to hide what it is.
            (key.ends_with("password") || key.contains('%')).then_some(value)
        });
        of_user
            .into_iter()
            .chain(of_parameter)
            .filter(|password| !password.is_empty())
            .collect()
    }

    /// What stands for `${name}` when the variable has this value: a password, and the value of a pair, may hold
    /// anything; the other parts of a URL, and a whole text, are taken as they are.
    pub(super) fn filled_in(&self, name: &str, value: &str) -> String {
        let reference = format!("${{{name}}}");
        match self.parts() {
            Some(_) if self.passwords().contains(&reference.as_str()) => percent_encoded(value),
            Some(_) => value.to_owned(),
            None if pairs(self.0)
                .iter()
                .any(|(_, text)| text.contains(&reference)) =>
            {
                escaped(value)
            }
            None => value.to_owned(),
        }
    }
}

/// Whether a password is only a reference to a variable, `${NAME}`.
pub(super) fn is_reference(password: &str) -> bool {
    let name = password
        .trim_matches('\'')
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    name.is_some_and(|name| {
        name.chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_'))
    })
}

/// Whether a connection holds a password, or what cannot be told from one.
pub fn holds_password(url: &str) -> bool {
    !Url(url).passwords().is_empty()
}

/// Where a connection leads, without anything that is or could be part of a password.
pub fn without_secrets(url: &str) -> String {
    let Some((scheme, rest)) = Url(url).parts() else {
        let shown: Vec<_> = pairs(url)
            .into_iter()
            .filter(|(key, _)| ["host", "port", "dbname", "user"].contains(key))
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        return shown.join(" ");
    };
    let (credentials, place) = rest.rsplit_once('@').unwrap_or(("", rest));
    if credentials.contains(['@', '/', '?']) {
        // Where the password begins and ends is anybody's guess.
        return format!("{scheme}://…");
    }
    let place = place.split('?').next().unwrap_or(place);
    match credentials.split(':').next().unwrap_or_default() {
        "" => format!("{scheme}://{place}"),
        user => format!("{scheme}://{user}@{place}"),
    }
}

/// The `key=value` pairs of a text, values as written; spaces may stand around `=` and inside quotes.
fn pairs(text: &str) -> Vec<(&str, &str)> {
    let mut pairs = Vec::new();
    let mut rest = text;
    while let Some((key, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let (value, tail) = after.split_at(value_length(after));
        pairs.push((key.split_whitespace().next_back().unwrap_or(""), value));
        rest = tail;
    }
    pairs
}

/// How many bytes the value at the start of `text` takes; a backslash takes its meaning from any sign.
fn value_length(text: &str) -> usize {
    let quoted = text.starts_with('\'');
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\'' if quoted && at > 0 => return at + 1,
            c if !quoted && c.is_whitespace() => return at,
            _ => {}
        }
    }
    text.len()
}

/// A text as a part of a pair's value, quoted or not.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\\' || c == '\'' || c.is_whitespace() {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte))
            }
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
