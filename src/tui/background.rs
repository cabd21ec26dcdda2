//! The terminal's background: asked for only where the project says `theme: auto`, and found among the keys when the
//! answer comes. Nobody waits for it.

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// OSC 11, which asks for the colour of the background.
pub(super) const QUESTION: &str = "\x1b]11;?\x07";

/// How long an answer is looked for; later, the keys it would begin with are only keys.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest answer: `11;rgba:ffff/ffff/ffff/ffff`.
const LONGEST: usize = 28;

/// Keys that are, or may still be, an answer. To crossterm it looks like Alt+] and letters.
#[derive(Default)]
pub(super) struct Listener {
    until: Option<Instant>,
    held: Vec<KeyEvent>,
}

/// What a key turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Keys that somebody pressed.
    Keys(Vec<KeyEvent>),
    /// Part of an answer, so far.
    Nothing,
    /// Whether the background is light.
    Light(bool),
}

impl Listener {
    /// Looks for an answer from now on.
    pub(super) fn listen(&mut self, now: Instant) {
        self.until = Some(now + PATIENCE);
    }

    /// Takes a key.
    pub(super) fn key(&mut self, key: KeyEvent, now: Instant) -> Heard {
        if self.until.is_none_or(|until| now > until) {
            self.until = None;
            self.held.push(key);
            return self.give_up();
        }
        let is_first = self.held.is_empty();
        self.held.push(key);
        match (key.code, key.modifiers) {
            (KeyCode::Char(']'), KeyModifiers::ALT) if is_first => Heard::Nothing,
            _ if is_first => self.give_up(),
            (KeyCode::Char('g'), KeyModifiers::CONTROL)
            | (KeyCode::Char('\\'), KeyModifiers::ALT) => match self.light() {
                Some(is_light) => {
                    *self = Self::default();
                    Heard::Light(is_light)
                }
                None => self.give_up(),
            },
            (KeyCode::Char(letter), KeyModifiers::NONE | KeyModifiers::SHIFT)
                if self.held.len() <= LONGEST
                    && (letter.is_ascii_hexdigit() || ";:/rgb".contains(letter)) =>
            {
                Heard::Nothing
            }
            _ => self.give_up(),
        }
    }

    fn give_up(&mut self) -> Heard {
        Heard::Keys(std::mem::take(&mut self.held))
    }

    /// Whether the colour held is a light one.
    fn light(&self) -> Option<bool> {
        let letters = self.held.iter().filter_map(|key| match key.code {
            KeyCode::Char(letter) if !key.modifiers.contains(KeyModifiers::CONTROL) => Some(letter),
            _ => None,
        });
        let text: String = letters.collect();
        let (_, colour) = text.trim_matches([']', '\\']).split_once(':')?;
        let mut parts = colour.split('/').map(|part| {
            let most = 16_u32
                .checked_pow(u32::try_from(part.len()).ok()?)?
                .checked_sub(1)?;
            let value = u32::from_str_radix(part, 16).ok()?;
            (most > 0).then(|| f64::from(value) / f64::from(most))
        });
        let (red, green, blue) = (parts.next()??, parts.next()??, parts.next()??);
        Some(0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys that crossterm makes of an answer.
    fn keys(answer: &str) -> Vec<KeyEvent> {
        let plain = |letter| {
            let shift = if char::is_uppercase(letter) {
                KeyModifiers::SHIFT
            } else {
                KeyModifiers::NONE
            };
            KeyEvent::new(KeyCode::Char(letter), shift)
        };
        let mut keys = vec![KeyEvent::new(KeyCode::Char(']'), KeyModifiers::ALT)];
        keys.extend(answer.chars().map(plain));
        keys.push(KeyEvent::new(KeyCode::Char('g'), KeyModifiers::CONTROL));
        keys
    }

    fn heard(listener: &mut Listener, keys: &[KeyEvent], now: Instant) -> Vec<Heard> {
        let heard = keys.iter().map(|key| listener.key(*key, now));
        heard.filter(|heard| *heard != Heard::Nothing).collect()
    }

    #[test]
    fn an_answer_is_no_key() {
        let now = Instant::now();
        for (answer, is_light) in [
            ("11;rgb:ffff/FFFF/ffff", true),
            ("11;rgb:1e1e/1e1e/2e2e", false),
            ("11;rgb:fd/f6/e3", true),
            ("11;rgba:0000/0000/0000/ffff", false),
        ] {
            let mut listener = Listener::default();
            listener.listen(now);
            let found = heard(&mut listener, &keys(answer), now);
            assert_eq!(found, [Heard::Light(is_light)], "{answer}");
        }
    }

    #[test]
    fn what_is_no_answer_was_typed() {
        let now = Instant::now();
        let all = keys("11;rgb:ffff/ffff/ffff");
        let unasked = heard(&mut Listener::default(), &all, now);
        assert_eq!(unasked.len(), all.len(), "nobody asked");

        let mut listener = Listener::default();
        listener.listen(now);
        let typed = keys("1x");
        let found = heard(&mut listener, &typed, now);
        let (held, last) = typed.split_at(3);
        let expected = [Heard::Keys(held.to_vec()), Heard::Keys(last.to_vec())];
        assert_eq!(found, expected, "given back in order");

        let late = now + PATIENCE + Duration::from_secs(1);
        assert_eq!(
            heard(&mut listener, &all, late).len(),
            all.len(),
            "too late"
        );
    }
}
