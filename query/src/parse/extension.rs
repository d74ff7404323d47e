//! What `sqlparser` cannot keep in its syntax tree.
//!
//! Some of Postgres' clauses have no place in the tree. [`extract`] cuts their tokens out before
//! parsing, keeps what they say on the side, and leaves a marker name in their place: a name that
//! begins with a NUL, which no client can write. Binding finds what was said by the marker.
//!
//! | clause | what stays in the text | what is kept |
//! | --- | --- | --- |
//! | `FOR NO KEY UPDATE`, `FOR KEY SHARE`, `OF a, b` | `FOR UPDATE OF marker` | [`LockExtension`] |
//! | `ON CONFLICT (expressions) WHERE …` | `ON CONFLICT (marker)` | [`Inference`] |
//! | `OVERRIDING SYSTEM VALUE` | a marker in the column list | [`Override`] |
//! | `AS IDENTITY (options)` | `AS IDENTITY (CACHE number)` | [`SequenceOption`]s |
//! | `SET a[1] = …` | `SET marker = …` | the subscripts |

use sqlparser::ast::{Expr, Ident, IndexConstraint, ObjectName};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Span, Token, TokenWithSpan, Word};

use super::command::define::sequence::{self, SequenceOption};
use super::dialect::CairnDialect;
use super::{Like, mysql};

/// What was cut out of a statement.
#[derive(Debug, Default)]
pub(crate) struct Extensions {
    locks: Vec<LockExtension>,
    conflicts: Vec<Inference>,
    indexes: Vec<IndexConstraint>,
    identities: Vec<Vec<SequenceOption>>,
    likes: Vec<Like>,
    subscripts: Vec<Expr>,
}

/// A locking clause.
#[derive(Clone, Debug)]
pub(crate) struct LockExtension {
    /// How strongly.
    pub strength: RowLock,
    /// The tables after OF.
    pub tables: Vec<Ident>,
}

/// The four strengths of row locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowLock {
    Update,
    NoKeyUpdate,
    Share,
    KeyShare,
}

/// What ON CONFLICT infers its index from.
#[derive(Clone, Debug)]
pub(crate) struct Inference {
    /// The keys.
    pub elements: Vec<Expr>,
    /// The condition of a partial index.
    pub predicate: Option<Expr>,
}

/// `OVERRIDING … VALUE`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Override {
    System,
    User,
}

const LOCK: &str = "\0lock";
const CONFLICT: &str = "\0conflict";
const SUBSCRIPT: &str = "\0subscript";
const SYSTEM: &str = "\0system";
const USER: &str = "\0user";

impl Extensions {
    /// The indexes of CREATE TABLE; see [`super::mysql`].
    pub(crate) fn indexes(&self) -> &[IndexConstraint] {
        &self.indexes
    }

    /// The tables that CREATE TABLE copies columns of; see [`super::like`].
    pub(crate) fn likes(&self) -> &[Like] {
        &self.likes
    }

    /// The part of a column that a marker stands for as the target of an assignment.
    pub(crate) fn subscript(&self, name: &ObjectName) -> Option<&Expr> {
        let marker = name.0.first()?.as_ident()?.value.strip_prefix(SUBSCRIPT)?;
        self.subscripts.get(marker.parse::<usize>().ok()?)
    }

    /// The locking clause that a marker stands for.
    pub(crate) fn lock(&self, name: &ObjectName) -> Option<&LockExtension> {
        let marker = name.0.first()?.as_ident()?.value.strip_prefix(LOCK)?;
        self.locks.get(marker.parse::<usize>().ok()?)
    }

    /// The inference that a marker stands for.
    pub(crate) fn conflict(&self, columns: &[Ident]) -> Option<&Inference> {
        let marker = columns.first()?.value.strip_prefix(CONFLICT)?;
        self.conflicts.get(marker.parse::<usize>().ok()?)
    }

    /// The options of an identity column, by the number that was left in their place.
    pub(crate) fn identity(&self, number: &str) -> Option<&[SequenceOption]> {
        self.identities.get(number.parse::<usize>().ok()?).map(Vec::as_slice)
    }

    /// The OVERRIDING clause that a marker in a column list stands for.
    pub(crate) fn overriding(&self, name: &ObjectName) -> Option<Override> {
        match name.0.first()?.as_ident()?.value.as_str() {
            SYSTEM => Some(Override::System),
            USER => Some(Override::User),
            _ => None,
        }
    }
}

/// Cuts out what the parser cannot keep. The tokens come without white space.
pub(super) fn extract(
    tokens: Vec<TokenWithSpan>,
) -> Result<(Vec<TokenWithSpan>, Extensions), ParserError> {
    let (tokens, mysql::Beside { indexes, likes }) = mysql::translate(tokens)?;
    let found = Extensions { indexes, likes, ..Extensions::default() };
    let set = SetList::default();
    let mut cutter = Cutter { tokens, at: 0, kept: Vec::new(), found, set };
    while cutter.at < cutter.tokens.len() {
        let cut = cutter.cut_lock()
            || cutter.cut_conflict()?
            || cutter.cut_overriding()
            || cutter.cut_identity()?
            || cutter.cut_subscript()?;
        if !cut {
            cutter.keep();
        }
    }
    Ok((cutter.kept, cutter.found))
}

/// Walks over tokens, keeping some.
struct Cutter {
    tokens: Vec<TokenWithSpan>,
    at: usize,
    kept: Vec<TokenWithSpan>,
    found: Extensions,
    set: SetList,
}

/// Whether tokens are in the list of assignments of an UPDATE.
#[derive(Default)]
struct SetList {
    depth: usize,
    /// How deep the last UPDATE stands.
    update: Option<usize>,
    /// How deep the list stands.
    list: Option<usize>,
}

impl SetList {
    fn pass(&mut self, token: &Token, before: Option<&Token>) {
        match token {
            Token::LParen => self.depth += 1,
            Token::RParen => {
                self.depth = self.depth.saturating_sub(1);
                self.list = self.list.filter(|list| *list <= self.depth);
            }
            Token::Word(word) if word.quote_style.is_none() => match word.keyword {
                Keyword::UPDATE => self.update = Some(self.depth),
                Keyword::SET if self.update == Some(self.depth) => self.list = Some(self.depth),
                Keyword::FROM if is_word(before, Keyword::DISTINCT) => {}
                Keyword::FROM | Keyword::WHERE | Keyword::RETURNING
                    if self.list == Some(self.depth) =>
                {
                    self.list = None;
                }
                _ => {}
            },
            _ => {}
        }
    }
}

fn is_word(token: Option<&Token>, keyword: Keyword) -> bool {
    matches!(token, Some(Token::Word(word))
        if word.keyword == keyword && word.quote_style.is_none())
}

impl Cutter {
    fn keep(&mut self) {
        if let Some(token) = self.tokens.get(self.at) {
            self.set.pass(&token.token, self.kept.last().map(|token| &token.token));
            self.kept.push(token.clone());
        }
        self.at += 1;
    }

    fn token(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead).map(|token| &token.token)
    }

    fn is_keyword(&self, ahead: usize, keyword: Keyword) -> bool {
        matches!(self.token(ahead), Some(Token::Word(word))
            if word.keyword == keyword && word.quote_style.is_none())
    }

    fn are_keywords(&self, keywords: &[Keyword]) -> bool {
        keywords.iter().enumerate().all(|(ahead, keyword)| self.is_keyword(ahead, *keyword))
    }

    fn span(&self) -> Span {
        self.tokens.get(self.at).map_or(Span::empty(), |token| token.span)
    }

    fn push_marker(&mut self, name: String, span: Span) {
        let word = Word { value: name, quote_style: Some('"'), keyword: Keyword::NoKeyword };
        self.kept.push(TokenWithSpan { token: Token::Word(word), span });
    }

    fn push_keyword(&mut self, word: &str, span: Span) {
        self.kept.push(TokenWithSpan { token: Token::make_keyword(word), span });
    }

    /// `FOR … [OF a, b]`
    fn cut_lock(&mut self) -> bool {
        use Keyword::{FOR, KEY, NO, SHARE, UPDATE};
        let (strength, len) = if self.are_keywords(&[FOR, NO, KEY, UPDATE]) {
            (RowLock::NoKeyUpdate, 4)
        } else if self.are_keywords(&[FOR, KEY, SHARE]) {
            (RowLock::KeyShare, 3)
        } else if self.are_keywords(&[FOR, UPDATE, Keyword::OF]) {
            (RowLock::Update, 2)
        } else if self.are_keywords(&[FOR, SHARE, Keyword::OF]) {
            (RowLock::Share, 2)
        } else {
            return false;
        };
        let span = self.span();
        self.at += len;
        let mut tables = Vec::new();
        if self.is_keyword(0, Keyword::OF) {
            self.at += 1;
            while let Some(Token::Word(word)) = self.token(0) {
                tables.push(word.clone().into_ident(self.span()));
                self.at += 1;
                if self.token(0) != Some(&Token::Comma) {
                    break;
                }
                self.at += 1;
            }
        }
        self.found.locks.push(LockExtension { strength, tables });
        for word in ["FOR", "UPDATE", "OF"] {
            self.push_keyword(word, span);
        }
        let marker = format!("{LOCK}{}", self.found.locks.len() - 1);
        self.push_marker(marker, span);
        true
    }

    /// `ON CONFLICT (…) [WHERE …] DO`
    fn cut_conflict(&mut self) -> Result<bool, ParserError> {
        let is_target = self.are_keywords(&[Keyword::ON, Keyword::CONFLICT])
            && self.token(2) == Some(&Token::LParen);
        if !is_target {
            return Ok(false);
        }
        let Some(close) = self.closing(self.at + 2) else { return Ok(false) };
        let inside = self.tokens[self.at + 3..close].to_vec();
        let mut end = close + 1;
        let is_do = |token: &TokenWithSpan| {
            matches!(&token.token, Token::Word(word)
            if word.keyword == Keyword::DO && word.quote_style.is_none())
        };
        let mut predicate = None;
        if matches!(self.tokens.get(end).map(|token| &token.token), Some(Token::Word(word)) if word.keyword == Keyword::WHERE)
        {
            let stop = self.tokens[end..].iter().position(is_do).map(|offset| end + offset);
            let Some(stop) = stop else { return Ok(false) };
            predicate = Some(parse_all(self.tokens[end + 1..stop].to_vec())?);
            end = stop;
        }
        let is_name = |token: &TokenWithSpan| matches!(token.token, Token::Comma | Token::Word(_));
        let is_plain = inside.iter().all(is_name);
        if is_plain && predicate.is_none() {
            return Ok(false);
        }
        let elements = parse_elements(inside)?;
        self.found.conflicts.push(Inference { elements, predicate });
        let span = self.span();
        self.keep();
        self.keep();
        self.keep();
        let marker = format!("{CONFLICT}{}", self.found.conflicts.len() - 1);
        self.push_marker(marker, span);
        self.kept.push(self.tokens[close].clone());
        self.at = end;
        Ok(true)
    }

    /// `OVERRIDING SYSTEM VALUE`: into the column list before it, or one made for it.
    fn cut_overriding(&mut self) -> bool {
        let words: Vec<String> = (0..3)
            .filter_map(|ahead| match self.token(ahead) {
                Some(Token::Word(word)) if word.quote_style.is_none() => {
                    Some(word.value.to_ascii_uppercase())
                }
                _ => None,
            })
            .collect();
        let marker = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["OVERRIDING", "SYSTEM", "VALUE"] => SYSTEM,
            ["OVERRIDING", "USER", "VALUE"] => USER,
            _ => return false,
        };
        let span = self.span();
        let punctuation = |token| TokenWithSpan { token, span };
        if matches!(self.kept.last().map(|token| &token.token), Some(Token::RParen)) {
            self.kept.pop();
            self.kept.push(punctuation(Token::Comma));
        } else {
            self.kept.push(punctuation(Token::LParen));
        }
        self.push_marker(marker.to_owned(), span);
        self.kept.push(punctuation(Token::RParen));
        self.at += 3;
        true
    }

    /// `GENERATED … AS IDENTITY (options)`: the parser wants them in one order, and knows no
    /// SEQUENCE NAME.
    fn cut_identity(&mut self) -> Result<bool, ParserError> {
        use Keyword::{ALWAYS, AS, BY, DEFAULT, GENERATED, IDENTITY};
        let is_identity = self.is_keyword(0, IDENTITY)
            && self.token(1) == Some(&Token::LParen)
            && [[GENERATED, ALWAYS, AS], [BY, DEFAULT, AS]].iter().any(|words| self.follows(words));
        let open = self.at + 1;
        let Some(close) = self.closing(open).filter(|_| is_identity) else { return Ok(false) };
        let options = parse_options(self.tokens.get(open + 1..close).unwrap_or_default())?;
        let span = self.span();
        self.keep();
        self.keep();
        self.push_keyword("CACHE", span);
        let number = Token::Number(self.found.identities.len().to_string(), false);
        self.kept.push(TokenWithSpan { token: number, span });
        self.found.identities.push(options);
        self.at = close;
        Ok(true)
    }

    /// Whether these words were kept last.
    fn follows(&self, words: &[Keyword]) -> bool {
        let start = self.kept.len().checked_sub(words.len());
        let last = start.and_then(|start| self.kept.get(start..)).unwrap_or_default();
        last.len() == words.len()
            && last.iter().zip(words).all(|(token, word)| {
                matches!(&token.token, Token::Word(kept)
                    if kept.keyword == *word && kept.quote_style.is_none())
            })
    }

    /// `a[1][2] =` in a list of assignments
    fn cut_subscript(&mut self) -> Result<bool, ParserError> {
        let before = self.kept.last().map(|token| &token.token);
        let is_target = self.set.list == Some(self.set.depth)
            && (before == Some(&Token::Comma) || is_word(before, Keyword::SET))
            && matches!(self.token(0), Some(Token::Word(_)))
            && self.token(1) == Some(&Token::LBracket);
        let Some(end) = is_target.then(|| self.subscripts_end()).flatten() else {
            return Ok(false);
        };
        let span = self.span();
        let target = parse_all(self.tokens.get(self.at..end).unwrap_or_default().to_vec())?;
        self.found.subscripts.push(target);
        self.push_marker(format!("{SUBSCRIPT}{}", self.found.subscripts.len() - 1), span);
        self.at = end;
        Ok(true)
    }

    /// Where the subscripts behind the next word end, if `=` follows them.
    fn subscripts_end(&self) -> Option<usize> {
        let mut depth = 0_usize;
        for (position, token) in self.tokens.iter().enumerate().skip(self.at + 1) {
            match token.token {
                Token::LBracket => depth += 1,
                Token::RBracket => depth = depth.checked_sub(1)?,
                Token::Eq if depth == 0 => return Some(position),
                _ if depth == 0 => return None,
                _ => {}
            }
        }
        None
    }

    /// The parenthesis that closes the one at a position.
    fn closing(&self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for (position, token) in self.tokens.iter().enumerate().skip(open) {
            match token.token {
                Token::LParen => depth += 1,
                Token::RParen if depth == 1 => return Some(position),
                Token::RParen => depth = depth.checked_sub(1)?,
                _ => {}
            }
        }
        None
    }
}

fn parser(tokens: Vec<TokenWithSpan>) -> Parser<'static> {
    Parser::new(&CairnDialect).with_tokens_with_locations(tokens)
}

/// One expression out of all tokens.
fn parse_all(tokens: Vec<TokenWithSpan>) -> Result<Expr, ParserError> {
    let mut parser = parser(tokens);
    let expr = parser.parse_expr()?;
    match parser.peek_token_ref().token {
        Token::EOF => Ok(expr),
        _ => parser.expected_ref("end of condition", parser.peek_token_ref()),
    }
}

/// The options of a sequence out of all tokens.
fn parse_options(tokens: &[TokenWithSpan]) -> Result<Vec<SequenceOption>, ParserError> {
    let mut parser = parser(tokens.to_vec());
    let options = sequence::options(&mut parser)?;
    match parser.peek_token_ref().token {
        Token::EOF => Ok(options),
        _ => parser.expected_ref("an option of the sequence", parser.peek_token_ref()),
    }
}

/// The keys of ON CONFLICT; an operator class behind one decides nothing.
fn parse_elements(tokens: Vec<TokenWithSpan>) -> Result<Vec<Expr>, ParserError> {
    let mut parser = parser(tokens);
    let mut elements = Vec::new();
    loop {
        elements.push(parser.parse_expr()?);
        if matches!(parser.peek_token_ref().token, Token::Word(_)) {
            parser.advance_token();
        }
        if !parser.consume_token(&Token::Comma) {
            break;
        }
    }
    match parser.peek_token_ref().token {
        Token::EOF => Ok(elements),
        _ => parser.expected_ref(")", parser.peek_token_ref()),
    }
}
