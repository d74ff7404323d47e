//! The states of the parser and their rules.

use super::TokenKind;
use super::class::Class::{
    self, Alphanumeric, Any, AsciiLetter, Digit, End, HexDigit, HostEnds, HostFollows, InScript,
    Is, Letter, Mark, Other, PathFollows, Space, UrlPath,
};

/// What is being read: the rules, tried in order; the last one always applies.
pub(super) struct State(pub(super) &'static [Rule]);

/// What to do with the position when a rule applies.
#[derive(Clone, Copy, Debug)]
pub(super) enum Move {
    /// Take the character.
    Next,
    /// Take the character, and save the position before it with the rules not tried yet.
    Try,
    /// Go back to the saved position.
    Back,
    /// Take the character and forget the last saved position.
    Commit,
    /// Forget all saved positions.
    CommitAll,
    /// Take the character in the state of the saved position.
    Merge,
    /// Do not take the character; look at it again in the new state.
    Again,
}

/// What else a rule does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Special {
    None,
    /// The token's text is read once more, part by part.
    Rewind,
    /// As `Rewind`; its first part is a host.
    RewindForHost,
    /// The token is begun anew.
    Restart,
    /// Notes whether a tag opens or closes a script or a style sheet.
    NoteTag,
}

/// If the next character is in the class: move, change the state, perhaps end a token.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    pub(super) when: Class,
    pub(super) then: Move,
    pub(super) state: Option<&'static State>,
    pub(super) token: Option<TokenKind>,
    pub(super) special: Special,
}

const fn rule(when: Class, then: Move, state: &'static State) -> Rule {
    Rule { when, then, state: Some(state), token: None, special: Special::None }
}

const fn next(when: Class, state: &'static State) -> Rule {
    rule(when, Move::Next, state)
}

const fn attempt(when: Class, state: &'static State) -> Rule {
    rule(when, Move::Try, state)
}

const fn commit(when: Class, state: &'static State) -> Rule {
    rule(when, Move::Commit, state)
}

const fn again(when: Class, state: &'static State) -> Rule {
    rule(when, Move::Again, state)
}

/// The character belongs to what is being read.
const fn stay(when: Class) -> Rule {
    Rule { when, then: Move::Next, state: None, token: None, special: Special::None }
}

const fn back(when: Class) -> Rule {
    Rule { when, then: Move::Back, state: None, token: None, special: Special::None }
}

const FAIL: Rule = back(Any);

/// The token ends before the character.
const fn token(when: Class, kind: TokenKind) -> Rule {
    token_to(when, kind, &BASE)
}

const fn token_to(when: Class, kind: TokenKind, state: &'static State) -> Rule {
    Rule { when, then: Move::Next, state: Some(state), token: Some(kind), special: Special::None }
}

/// As `token_to`, forgetting the last saved position.
const fn token_commit(when: Class, kind: TokenKind, state: &'static State) -> Rule {
    let rule = token_to(when, kind, state);
    Rule { then: Move::Commit, ..rule }
}

/// As `token_to`, forgetting all saved positions.
const fn token_commit_all(when: Class, kind: TokenKind, state: &'static State) -> Rule {
    let rule = token_to(when, kind, state);
    Rule { then: Move::CommitAll, ..rule }
}

const fn compound(when: Class, kind: TokenKind) -> Rule {
    Rule { special: Special::Rewind, ..token_commit_all(when, kind, &HYPHEN_PARTS) }
}

const fn noting_tag(rule: Rule) -> Rule {
    Rule { special: Special::NoteTag, ..rule }
}

pub(super) static BASE: State = State(&[
    stay(End),
    attempt(Is('<'), &TAG_FIRST),
    next(InScript, &BLANK),
    next(AsciiLetter, &ASCII_WORD),
    next(Letter, &WORD),
    next(Digit, &UNSIGNED_INT),
    attempt(Is('-'), &SIGNED_INT_FIRST),
    attempt(Is('+'), &SIGNED_INT_FIRST),
    attempt(Is('&'), &ENTITY_FIRST),
    attempt(Is('~'), &FILE_TILDE),
    attempt(Is('/'), &FILE_FIRST),
    attempt(Is('.'), &PATH_DOT),
    next(Any, &BLANK),
]);

static NUM_WORD: State = State(&[
    token(End, TokenKind::NumWord),
    stay(Alphanumeric),
    stay(Mark),
    attempt(Is('@'), &EMAIL),
    attempt(Is('/'), &FILE_FIRST),
    attempt(Is('.'), &FILE_NEXT),
    attempt(Is('-'), &HYPHEN_NUM_WORD_FIRST),
    token(Any, TokenKind::NumWord),
]);

static ASCII_WORD: State = State(&[
    token(End, TokenKind::AsciiWord),
    stay(AsciiLetter),
    attempt(Is('.'), &HOST_FIRST_DOMAIN),
    attempt(Is('.'), &FILE_NEXT),
    attempt(Is('-'), &HOST_FIRST),
    attempt(Is('-'), &HYPHEN_ASCII_WORD_FIRST),
    attempt(Is('_'), &HOST_FIRST),
    attempt(Is('@'), &EMAIL),
    attempt(Is(':'), &PROTOCOL_FIRST),
    attempt(Is('/'), &FILE_FIRST),
    attempt(Digit, &HOST),
    next(Digit, &NUM_WORD),
    next(Letter, &WORD),
    next(Mark, &WORD),
    token(Any, TokenKind::AsciiWord),
]);

static WORD: State = State(&[
    token(End, TokenKind::Word),
    stay(Letter),
    stay(Mark),
    next(Digit, &NUM_WORD),
    attempt(Is('-'), &HYPHEN_WORD_FIRST),
    token(Any, TokenKind::Word),
]);

static BLANK: State = State(&[
    token(End, TokenKind::Blank),
    token(Is('<'), TokenKind::Blank),
    stay(InScript),
    token(Is('-'), TokenKind::Blank),
    token(Is('+'), TokenKind::Blank),
    token(Is('&'), TokenKind::Blank),
    token(Is('/'), TokenKind::Blank),
    stay(Other),
    token(Any, TokenKind::Blank),
]);

static UNSIGNED_INT: State = State(&[
    token(End, TokenKind::UnsignedInt),
    stay(Digit),
    attempt(Is('.'), &HOST_FIRST_DOMAIN),
    attempt(Is('.'), &UNSIGNED_DECIMAL_FIRST),
    attempt(Is('e'), &EXPONENT_FIRST),
    attempt(Is('E'), &EXPONENT_FIRST),
    attempt(Is('-'), &HOST_FIRST),
    attempt(Is('_'), &HOST_FIRST),
    attempt(Is('@'), &EMAIL),
    attempt(AsciiLetter, &HOST),
    next(Letter, &NUM_WORD),
    next(Mark, &NUM_WORD),
    attempt(Is('/'), &FILE_FIRST),
    token(Any, TokenKind::UnsignedInt),
]);

static SIGNED_INT_FIRST: State = State(&[commit(Digit, &SIGNED_INT), FAIL]);

static SIGNED_INT: State = State(&[
    token(End, TokenKind::SignedInt),
    stay(Digit),
    attempt(Is('.'), &DECIMAL_FIRST),
    attempt(Is('e'), &EXPONENT_FIRST),
    attempt(Is('E'), &EXPONENT_FIRST),
    token(Any, TokenKind::SignedInt),
]);

static UNSIGNED_DECIMAL_FIRST: State = State(&[commit(Digit, &UNSIGNED_DECIMAL), FAIL]);

static UNSIGNED_DECIMAL: State = State(&[
    token(End, TokenKind::Float),
    stay(Digit),
    attempt(Is('.'), &VERSION_FIRST),
    attempt(Is('e'), &EXPONENT_FIRST),
    attempt(Is('E'), &EXPONENT_FIRST),
    token(Any, TokenKind::Float),
]);

static DECIMAL_FIRST: State = State(&[commit(Digit, &DECIMAL), FAIL]);

static DECIMAL: State = State(&[
    token(End, TokenKind::Float),
    stay(Digit),
    attempt(Is('.'), &SIGNED_VERSION),
    attempt(Is('e'), &EXPONENT_FIRST),
    attempt(Is('E'), &EXPONENT_FIRST),
    token(Any, TokenKind::Float),
]);

// A version number after a sign: the sign is a blank of its own.
static SIGNED_VERSION: State =
    State(&[Rule { special: Special::Restart, ..again(Digit, &SIGNED_VERSION_SIGN) }, FAIL]);

static SIGNED_VERSION_SIGN: State =
    State(&[token_commit_all(Digit, TokenKind::Blank, &UNSIGNED_INT), stay(Any)]);

static VERSION_FIRST: State = State(&[commit(Digit, &VERSION), FAIL]);

static VERSION: State = State(&[
    token(End, TokenKind::Version),
    stay(Digit),
    attempt(Is('.'), &VERSION_FIRST),
    token(Any, TokenKind::Version),
]);

static EXPONENT_FIRST: State = State(&[
    commit(Digit, &EXPONENT),
    next(Is('+'), &EXPONENT_SIGN),
    next(Is('-'), &EXPONENT_SIGN),
    FAIL,
]);

static EXPONENT_SIGN: State = State(&[commit(Digit, &EXPONENT), FAIL]);

static EXPONENT: State = State(&[
    token(End, TokenKind::ScientificFloat),
    stay(Digit),
    token(Any, TokenKind::ScientificFloat),
]);

static ENTITY_FIRST: State = State(&[
    next(Is('#'), &ENTITY_NUMBER_FIRST),
    next(AsciiLetter, &ENTITY),
    next(Is(':'), &ENTITY),
    next(Is('_'), &ENTITY),
    FAIL,
]);

static ENTITY: State = State(&[
    stay(Alphanumeric),
    stay(Is(':')),
    stay(Is('_')),
    stay(Is('.')),
    stay(Is('-')),
    next(Is(';'), &ENTITY_END),
    FAIL,
]);

static ENTITY_NUMBER_FIRST: State = State(&[
    next(Is('x'), &ENTITY_HEX_FIRST),
    next(Is('X'), &ENTITY_HEX_FIRST),
    next(Digit, &ENTITY_NUMBER),
    FAIL,
]);

static ENTITY_NUMBER: State = State(&[stay(Digit), next(Is(';'), &ENTITY_END), FAIL]);

static ENTITY_HEX_FIRST: State = State(&[next(HexDigit, &ENTITY_HEX), FAIL]);

static ENTITY_HEX: State = State(&[stay(HexDigit), next(Is(';'), &ENTITY_END), FAIL]);

static ENTITY_END: State = State(&[token_commit(Any, TokenKind::Entity, &BASE)]);

static TAG_FIRST: State = State(&[
    attempt(Is('/'), &TAG_CLOSE_FIRST),
    attempt(Is('!'), &COMMENT_FIRST),
    attempt(Is('?'), &XML_HEADER),
    attempt(AsciiLetter, &TAG_NAME),
    attempt(Is(':'), &TAG_NAME),
    attempt(Is('_'), &TAG_NAME),
    FAIL,
]);

static XML_HEADER: State = State(&[next(Is('x'), &TAG), next(Is('X'), &TAG), FAIL]);

static TAG_CLOSE_FIRST: State = State(&[next(AsciiLetter, &TAG_NAME), FAIL]);

static TAG_NAME: State = State(&[
    next(Is('/'), &TAG_SELF_CLOSE),
    noting_tag(next(Is('>'), &TAG_END)),
    noting_tag(next(Space, &TAG)),
    stay(Alphanumeric),
    stay(Is(':')),
    stay(Is('_')),
    stay(Is('.')),
    stay(Is('-')),
    FAIL,
]);

static TAG_SELF_CLOSE: State = State(&[next(Is('>'), &TAG_END), FAIL]);

static TAG: State = State(&[
    noting_tag(next(Is('>'), &TAG_END)),
    next(Is('\''), &TAG_QUOTE),
    next(Is('"'), &TAG_DOUBLE_QUOTE),
    stay(AsciiLetter),
    stay(Digit),
    stay(Is('=')),
    stay(Is('-')),
    stay(Is('_')),
    stay(Is('#')),
    stay(Is('/')),
    stay(Is(':')),
    stay(Is('.')),
    stay(Is('&')),
    stay(Is('?')),
    stay(Is('%')),
    stay(Is('~')),
    noting_tag(stay(Space)),
    FAIL,
]);

static TAG_QUOTE: State =
    State(&[back(End), attempt(Is('\\'), &TAG_BACKSLASH), next(Is('\''), &TAG), stay(Any)]);

static TAG_DOUBLE_QUOTE: State =
    State(&[back(End), attempt(Is('\\'), &TAG_BACKSLASH), next(Is('"'), &TAG), stay(Any)]);

static TAG_BACKSLASH: State = State(&[
    back(End),
    Rule { when: Any, then: Move::Merge, state: None, token: None, special: Special::None },
]);

static TAG_END: State = State(&[token_commit_all(Any, TokenKind::Tag, &BASE)]);

static COMMENT_FIRST: State = State(&[
    next(Is('-'), &COMMENT_SECOND),
    // <!DOCTYPE …>
    next(Is('D'), &TAG),
    next(Is('d'), &TAG),
    FAIL,
]);

static COMMENT_SECOND: State = State(&[next(Is('-'), &COMMENT), FAIL]);

static COMMENT: State = State(&[back(End), next(Is('-'), &COMMENT_DASH), stay(Any)]);

static COMMENT_DASH: State =
    State(&[back(End), next(Is('-'), &COMMENT_DASHES), next(Any, &COMMENT)]);

static COMMENT_DASHES: State =
    State(&[back(End), stay(Is('-')), next(Is('>'), &COMMENT_END), next(Any, &COMMENT)]);

static COMMENT_END: State = State(&[token_commit_all(Any, TokenKind::Tag, &BASE)]);

static HOST_FIRST_DOMAIN: State =
    State(&[next(AsciiLetter, &HOST_DOMAIN_SECOND), next(Digit, &HOST), FAIL]);

static HOST_DOMAIN_SECOND: State = State(&[
    next(AsciiLetter, &HOST_DOMAIN),
    attempt(Digit, &HOST),
    attempt(Is('-'), &HOST_FIRST),
    attempt(Is('_'), &HOST_FIRST),
    attempt(Is('.'), &HOST_FIRST_DOMAIN),
    attempt(Is('@'), &EMAIL),
    FAIL,
]);

static HOST_DOMAIN: State = State(&[
    token_commit_all(End, TokenKind::Host, &BASE),
    stay(AsciiLetter),
    attempt(Digit, &HOST),
    attempt(Is(':'), &PORT_FIRST),
    attempt(Is('-'), &HOST_FIRST),
    attempt(Is('_'), &HOST_FIRST),
    attempt(Is('.'), &HOST_FIRST_DOMAIN),
    attempt(Is('@'), &EMAIL),
    back(Digit),
    token_commit_all(HostEnds, TokenKind::Host, &URL_PATH_START),
    attempt(Is('/'), &URL),
    token_commit_all(Any, TokenKind::Host, &BASE),
]);

static PORT_FIRST: State = State(&[next(Digit, &PORT), FAIL]);

static PORT: State = State(&[
    token_commit_all(End, TokenKind::Host, &BASE),
    stay(Digit),
    token_commit_all(HostEnds, TokenKind::Host, &URL_PATH_START),
    attempt(Is('/'), &URL),
    token_commit_all(Any, TokenKind::Host, &BASE),
]);

static HOST_FIRST: State = State(&[next(Digit, &HOST), next(AsciiLetter, &HOST), FAIL]);

static HOST: State = State(&[
    back(End),
    stay(Digit),
    stay(AsciiLetter),
    attempt(Is('@'), &EMAIL),
    attempt(Is('.'), &HOST_FIRST_DOMAIN),
    attempt(Is('-'), &HOST_FIRST),
    attempt(Is('_'), &HOST_FIRST),
    FAIL,
]);

static EMAIL: State =
    State(&[back(HostEnds), token_commit_all(HostFollows, TokenKind::Email, &BASE), FAIL]);

static URL: State = State(&[
    back(End),
    Rule {
        special: Special::RewindForHost,
        ..token_commit_all(PathFollows, TokenKind::Url, &BASE)
    },
    FAIL,
]);

pub(super) static URL_PATH_FIRST: State = State(&[back(End), next(UrlPath, &URL_PATH), FAIL]);

static URL_PATH_START: State = State(&[next(Any, &URL_PATH)]);

static URL_PATH: State =
    State(&[token(End, TokenKind::UrlPath), stay(UrlPath), token(Any, TokenKind::UrlPath)]);

static PROTOCOL_FIRST: State = State(&[next(Is('/'), &PROTOCOL_SECOND), FAIL]);

static PROTOCOL_SECOND: State = State(&[next(Is('/'), &PROTOCOL_END), FAIL]);

static PROTOCOL_END: State = State(&[token_commit_all(Any, TokenKind::Protocol, &BASE)]);

static FILE_FIRST: State = State(&[
    next(AsciiLetter, &FILE),
    next(Digit, &FILE),
    next(Is('.'), &PATH_FIRST),
    next(Is('_'), &FILE),
    attempt(Is('~'), &FILE_TILDE),
    FAIL,
]);

static FILE_TILDE: State = State(&[
    next(AsciiLetter, &FILE),
    next(Digit, &FILE),
    next(Is('_'), &FILE),
    next(Is('/'), &FILE_FIRST),
    FAIL,
]);

static PATH_FIRST: State = State(&[
    next(AsciiLetter, &FILE),
    next(Digit, &FILE),
    next(Is('_'), &FILE),
    next(Is('.'), &PATH_DOTS),
    next(Is('/'), &FILE_FIRST),
    FAIL,
]);

static PATH_DOT: State = State(&[next(Is('.'), &PATH_DOTS), next(Is('/'), &FILE_FIRST), FAIL]);

static PATH_DOTS: State = State(&[
    token_commit(End, TokenKind::File, &BASE),
    attempt(Is('/'), &FILE_FIRST),
    token_commit(Is('/'), TokenKind::File, &BASE),
    token_commit(Space, TokenKind::File, &BASE),
    FAIL,
]);

static FILE: State = State(&[
    token(End, TokenKind::File),
    stay(AsciiLetter),
    stay(Digit),
    attempt(Is('.'), &FILE_NEXT),
    stay(Is('_')),
    stay(Is('-')),
    attempt(Is('/'), &FILE_FIRST),
    token(Any, TokenKind::File),
]);

static FILE_NEXT: State =
    State(&[commit(AsciiLetter, &FILE), commit(Digit, &FILE), commit(Is('_'), &FILE), FAIL]);

static HYPHEN_ASCII_WORD_FIRST: State = State(&[
    next(AsciiLetter, &HYPHEN_ASCII_WORD),
    next(Letter, &HYPHEN_WORD),
    next(Digit, &HYPHEN_DIGITS),
    FAIL,
]);

static HYPHEN_ASCII_WORD: State = State(&[
    compound(End, TokenKind::HyphenatedAsciiWord),
    stay(AsciiLetter),
    next(Letter, &HYPHEN_WORD),
    next(Mark, &HYPHEN_WORD),
    next(Digit, &HYPHEN_NUM_WORD),
    attempt(Is('-'), &HYPHEN_ASCII_WORD_FIRST),
    compound(Any, TokenKind::HyphenatedAsciiWord),
]);

static HYPHEN_WORD_FIRST: State =
    State(&[next(Letter, &HYPHEN_WORD), next(Digit, &HYPHEN_DIGITS), FAIL]);

static HYPHEN_WORD: State = State(&[
    compound(End, TokenKind::HyphenatedWord),
    stay(Letter),
    stay(Mark),
    next(Digit, &HYPHEN_NUM_WORD),
    attempt(Is('-'), &HYPHEN_WORD_FIRST),
    compound(Any, TokenKind::HyphenatedWord),
]);

static HYPHEN_NUM_WORD_FIRST: State =
    State(&[next(Letter, &HYPHEN_NUM_WORD), next(Digit, &HYPHEN_DIGITS), FAIL]);

static HYPHEN_NUM_WORD: State = State(&[
    compound(End, TokenKind::HyphenatedNumWord),
    stay(Alphanumeric),
    stay(Mark),
    attempt(Is('-'), &HYPHEN_NUM_WORD_FIRST),
    compound(Any, TokenKind::HyphenatedNumWord),
]);

static HYPHEN_DIGITS: State =
    State(&[stay(Digit), next(Letter, &HYPHEN_NUM_WORD), next(Mark, &HYPHEN_NUM_WORD), FAIL]);

static HYPHEN_PARTS: State = State(&[
    again(End, &BASE),
    next(AsciiLetter, &HYPHEN_ASCII_PART),
    next(Letter, &HYPHEN_WORD_PART),
    attempt(Digit, &HYPHEN_UNSIGNED_INT),
    attempt(Is('-'), &HYPHEN_BETWEEN),
    again(Any, &BASE),
]);

static HYPHEN_BETWEEN: State = State(&[
    token_commit(Alphanumeric, TokenKind::Blank, &HYPHEN_PARTS),
    token_commit(Mark, TokenKind::Blank, &HYPHEN_PARTS),
    FAIL,
]);

static HYPHEN_WORD_PART: State = State(&[
    token(End, TokenKind::HyphenatedPart),
    stay(Letter),
    stay(Mark),
    next(Digit, &HYPHEN_NUM_PART),
    token_to(Any, TokenKind::HyphenatedPart, &HYPHEN_PARTS),
]);

static HYPHEN_ASCII_PART: State = State(&[
    token(End, TokenKind::HyphenatedAsciiPart),
    stay(AsciiLetter),
    next(Letter, &HYPHEN_WORD_PART),
    next(Mark, &HYPHEN_WORD_PART),
    next(Digit, &HYPHEN_NUM_PART),
    token_to(Any, TokenKind::HyphenatedAsciiPart, &HYPHEN_PARTS),
]);

static HYPHEN_NUM_PART: State = State(&[
    token(End, TokenKind::HyphenatedNumPart),
    stay(Alphanumeric),
    stay(Mark),
    token_to(Any, TokenKind::HyphenatedNumPart, &HYPHEN_PARTS),
]);

static HYPHEN_UNSIGNED_INT: State =
    State(&[stay(Digit), commit(Letter, &HYPHEN_NUM_PART), commit(Mark, &HYPHEN_NUM_PART), FAIL]);
