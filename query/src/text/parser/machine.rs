//! What the rules do: a position, saved positions to go back to, a token when one is complete.

use super::TokenKind;
use super::class::{self, Class};
use super::rules::{self, Move, Rule, Special, State};

/// A piece of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'t> {
    /// What it is.
    pub kind: TokenKind,
    /// The piece.
    pub text: &'t str,
}

/// Cuts a text into tokens. Every character ends up in at least one; the parts of hyphenated words
/// and of URLs come once more after the whole.
pub struct Parser<'t> {
    text: &'t str,
    now: Place,
    saved: Vec<Place>,
    wants_host: bool,
    is_in_script: bool,
}

/// Where the machine is.
#[derive(Clone, Copy)]
struct Place {
    /// Byte offset of the next character.
    at: usize,
    /// Bytes of the token so far.
    token_len: usize,
    state: &'static State,
    /// How many rules of the state have been tried before.
    tried: usize,
}

impl<'t> Parser<'t> {
    /// A parser at the start of `text`.
    pub fn new(text: &'t str) -> Self {
        Self::at_state(text, &rules::BASE)
    }

    fn at_state(text: &'t str, state: &'static State) -> Self {
        let now = Place { at: 0, token_len: 0, state, tried: 0 };
        Self { text, now, saved: Vec::new(), wants_host: false, is_in_script: false }
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.now.at..)?.chars().next()
    }

    /// Takes the next rule that applies. Every state's last rule applies to anything.
    fn choose(&mut self) -> Option<(usize, &'static Rule, usize)> {
        let c = self.peek();
        let width = c.map_or(0, char::len_utf8);
        let rules = self.now.state.0;
        for (index, rule) in rules.iter().enumerate().skip(self.now.tried) {
            let (applies, width) = match rule.when {
                Class::InScript => (self.is_in_script && c.is_some(), width),
                Class::HostEnds => (std::mem::take(&mut self.wants_host), width),
                Class::HostFollows => (self.absorb(&rules::BASE, TokenKind::Host), 0),
                Class::PathFollows => (self.absorb(&rules::URL_PATH_FIRST, TokenKind::UrlPath), 0),
                class => (class::contains(class, c), width),
            };
            if applies {
                return Some((index, rule, width));
            }
        }
        None
    }

    /// Whether a token of the kind follows; then it is added to the token so far.
    fn absorb(&mut self, state: &'static State, kind: TokenKind) -> bool {
        let rest = self.text.get(self.now.at..).unwrap_or_default();
        let mut inner = Parser::at_state(rest, state);
        inner.wants_host = kind == TokenKind::Host;
        match inner.advance() {
            Some(token) if token.kind == kind => {
                self.now.at += token.text.len();
                self.now.token_len += token.text.len();
                true
            }
            _ => false,
        }
    }

    fn advance(&mut self) -> Option<Token<'t>> {
        while self.now.at <= self.text.len() {
            let (index, rule, width) = self.choose()?;
            if matches!(rule.then, Move::Back) && self.saved.is_empty() {
                // An attempt from within an attempt failed.
                return None;
            }
            self.now.tried = 0;
            let token_end = self.now.at;
            let token_len = self.now.token_len;
            self.apply_special(rule.special);
            if let Some(kind) = rule.token {
                self.now.token_len = 0;
                self.go(rule, index);
                let text = self.text.get(token_end - token_len..token_end)?;
                return Some(Token { kind, text });
            }
            self.go(rule, index);
            if self.now.at >= self.text.len() && !matches!(rule.then, Move::Again) {
                return None;
            }
            if !matches!(rule.then, Move::Again | Move::Back) {
                self.now.at += width;
                self.now.token_len += width;
            }
        }
        None
    }

    fn go(&mut self, rule: &Rule, index: usize) {
        match rule.then {
            Move::Back => {
                if let Some(place) = self.saved.pop() {
                    self.now = place;
                }
            }
            Move::Try => self.saved.push(Place { tried: index + 1, ..self.now }),
            Move::Commit => {
                self.saved.pop();
            }
            Move::CommitAll => self.saved.clear(),
            Move::Merge => {
                if let Some(place) = self.saved.pop() {
                    self.now.state = place.state;
                }
            }
            Move::Next | Move::Again => {}
        }
        if let Some(state) = rule.state {
            self.now.state = state;
        }
    }

    fn apply_special(&mut self, special: Special) {
        match special {
            Special::None => {}
            Special::Rewind => self.now.at -= self.now.token_len,
            Special::RewindForHost => {
                self.wants_host = true;
                self.now.at -= self.now.token_len;
            }
            Special::Restart => {
                self.now.at -= self.now.token_len;
                self.now.token_len = 0;
            }
            Special::NoteTag => self.note_tag(),
        }
    }

    fn note_tag(&mut self) {
        let start = self.now.at - self.now.token_len;
        let tag = self.text.get(start..self.now.at).unwrap_or_default();
        if tag.eq_ignore_ascii_case("<script") || tag.eq_ignore_ascii_case("<style") {
            self.is_in_script = true;
        } else if tag.eq_ignore_ascii_case("</script") || tag.eq_ignore_ascii_case("</style") {
            self.is_in_script = false;
        }
    }
}

impl<'t> Iterator for Parser<'t> {
    type Item = Token<'t>;

    fn next(&mut self) -> Option<Token<'t>> {
        self.advance()
    }
}
