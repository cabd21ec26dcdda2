//! Words cut into letters, digits and signs ("q3'25" is `q 3 ' 25`), and a position among them that may be tried and given up.

/// One run of letters or digits, or one sign.
#[derive(Debug, Clone)]
struct Token {
    text: String,
    /// Which word it is part of.
    word: usize,
    /// Whether it is the first of its word.
    leads: bool,
}

/// All words, cut.
#[derive(Debug)]
pub(super) struct Tokens {
    tokens: Vec<Token>,
    words: usize,
}

/// A position; copied where several ways of going on are tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'t> {
    rest: &'t [Token],
    words: usize,
}

/// Ranges are phrases: what follows the fiftieth word belongs to another one.
const MAX_WORDS: usize = 50;

impl Tokens {
    pub(super) fn new(words: &[&str]) -> Self {
        let mut tokens = Vec::new();
        let words = words.get(..MAX_WORDS).unwrap_or(words);
        for (at, word) in words.iter().enumerate() {
            let word = word.to_lowercase().replace(['–', '—', '−'], "-");
            let word = word.replace(['’', '`'], "'");
            let plain = word.trim_end_matches(['.', ',']);
            let plain = plain.strip_suffix("'s").unwrap_or(plain);
            let before = tokens.len();
            cut(plain, at, &mut tokens);
            if tokens.len() == before {
                // A word without any text still counts, and nothing can match it.
                tokens.push(Token {
                    text: String::new(),
                    word: at,
                    leads: true,
                });
            }
        }
        Self {
            tokens,
            words: words.len(),
        }
    }

    pub(super) fn start(&self) -> Cursor<'_> {
        Cursor {
            rest: &self.tokens,
            words: self.words,
        }
    }
}

fn cut(word: &str, at: usize, tokens: &mut Vec<Token>) {
    #[derive(PartialEq, Clone, Copy)]
    enum Kind {
        Letters,
        Digits,
        Dots,
        Sign,
    }
    let kind = |c: char| match c {
        '0'..='9' => Kind::Digits,
        '.' => Kind::Dots,
        c if c.is_alphabetic() => Kind::Letters,
        _ => Kind::Sign,
    };
    let mut last = None;
    let mut leads = true;
    for c in word.chars() {
        let this = kind(c);
        match tokens.last_mut() {
            Some(token) if last == Some(this) && this != Kind::Sign => token.text.push(c),
            _ => {
                tokens.push(Token {
                    text: c.to_string(),
                    word: at,
                    leads,
                });
                leads = false;
            }
        }
        last = Some(this);
    }
}

impl<'t> Cursor<'t> {
    /// Words passed, where the position is between two words.
    pub(super) fn used(self) -> Option<usize> {
        match self.rest.first() {
            None => Some(self.words),
            Some(token) => token.leads.then_some(token.word),
        }
    }

    /// Whether the next token stands in the same word as the one before.
    pub(super) fn is_glued(self) -> bool {
        self.rest.first().is_some_and(|token| !token.leads)
    }

    fn peek(self) -> Option<&'t str> {
        self.rest.first().map(|token| token.text.as_str())
    }

    fn step(self) -> Self {
        Self {
            rest: self.rest.get(1..).unwrap_or_default(),
            ..self
        }
    }

    /// The next token, where it satisfies `test`.
    pub(super) fn take<T>(self, test: impl Fn(&str) -> Option<T>) -> Option<(T, Self)> {
        let found = test(self.peek()?)?;
        Some((found, self.step()))
    }

    /// One word of several.
    pub(super) fn any(self, words: &[&str]) -> Option<Self> {
        words.contains(&self.peek()?).then(|| self.step())
    }

    /// All these words, also written with hyphens between them ("year-to-date").
    pub(super) fn words(self, text: &str) -> Option<Self> {
        let mut cursor = self;
        for (at, word) in text.split(' ').enumerate() {
            if at > 0 {
                cursor = cursor.hyphen();
            }
            cursor = cursor.any(&[word])?;
        }
        Some(cursor)
    }

    /// The longest of several texts, each of one or more words.
    pub(super) fn longest(self, texts: &[&str]) -> Option<Self> {
        texts
            .iter()
            .filter_map(|text| self.words(text))
            .min_by_key(|cursor| cursor.rest.len())
    }

    /// Behind a hyphen inside of a word, where there is one.
    pub(super) fn hyphen(self) -> Self {
        if self.is_glued() && self.peek() == Some("-") {
            self.step()
        } else {
            self
        }
    }

    /// Behind the word, where it is there.
    pub(super) fn skip(self, words: &[&str]) -> Self {
        self.any(words).unwrap_or(self)
    }

    /// A number in digits, with its number of digits.
    pub(super) fn digits(self) -> Option<(u32, usize, Self)> {
        let text = self.peek()?;
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = is_number.then(|| text.parse().ok()).flatten()?;
        Some((number, text.len(), self.step()))
    }

    /// Whether `self` has gone further than `other`.
    pub(super) fn is_beyond(self, other: Self) -> bool {
        self.rest.len() < other.rest.len()
    }
}
