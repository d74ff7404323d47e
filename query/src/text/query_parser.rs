//! The ways to write a query: the literal, `to_tsquery`, `plainto_tsquery`, `phraseto_tsquery`,
//! `websearch_to_tsquery`.

use cairn_engine::index::fulltext::document::LEXEME_LEN_MAX;
use cairn_engine::index::fulltext::{TextTerm, Weight};

use super::config::TextConfig;
use super::query_builder::{Operator, QueryBuilder};
use super::reader::{Dialect, LexemeReader, is_operator, is_space};
use super::ts_query::{DISTANCE_MAX, TsQuery, distance_error};
use crate::error::{Error, Result, SqlState};

/// What becomes of an operand's text.
#[derive(Clone, Copy)]
enum Operands {
    /// It is the lexeme.
    AsIs,
    /// Its words are, joined by this operator.
    Words(TextConfig, Operator),
}

/// `'a & b'::tsquery`
pub(super) fn parse_literal(text: &str) -> Result<TsQuery> {
    Parse::new(text, Dialect::Query, Operands::AsIs).standard()
}

impl TsQuery {
    /// `to_tsquery`
    ///
    /// # Errors
    /// 42601 when operators and operands do not alternate.
    pub fn of_expression(config: TextConfig, text: &str) -> Result<Self> {
        let operands = Operands::Words(config, Operator::Phrase(1));
        Parse::new(text, Dialect::Query, operands).standard()
    }

    /// `plainto_tsquery`: all words.
    ///
    /// # Errors
    /// 54001 with too many words.
    pub fn of_words(config: TextConfig, text: &str) -> Result<Self> {
        let mut parse = Parse::new(text, Dialect::Query, Operands::Words(config, Operator::And));
        parse.operand(text, 0, false)?;
        Ok(parse.finish())
    }

    /// `phraseto_tsquery`: the words in this order.
    ///
    /// # Errors
    /// 54001 with too many words.
    pub fn of_phrase(config: TextConfig, text: &str) -> Result<Self> {
        let operands = Operands::Words(config, Operator::Phrase(1));
        let mut parse = Parse::new(text, Dialect::Query, operands);
        parse.operand(text, 0, false)?;
        Ok(parse.finish())
    }

    /// `websearch_to_tsquery`: quotes, `or` and `-`; any text is accepted.
    ///
    /// # Errors
    /// 54001 with too many words.
    pub fn of_websearch(config: TextConfig, text: &str) -> Result<Self> {
        let operands = Operands::Words(config, Operator::Phrase(1));
        Parse::new(text, Dialect::Web, operands).websearch()
    }
}

/// What waits for its right operand.
enum Waiting {
    Operator(Operator),
    Parenthesis,
}

struct Parse<'t> {
    text: &'t str,
    reader: LexemeReader<'t>,
    operands: Operands,
    builder: QueryBuilder,
    waiting: Vec<Waiting>,
}

impl<'t> Parse<'t> {
    fn new(text: &'t str, dialect: Dialect, operands: Operands) -> Self {
        Self {
            text,
            reader: LexemeReader::new(text, dialect),
            operands,
            builder: QueryBuilder::default(),
            waiting: Vec::new(),
        }
    }

    fn finish(self) -> TsQuery {
        TsQuery::new(self.builder.finish())
    }

    fn standard(mut self) -> Result<TsQuery> {
        self.reader.skip_space();
        if self.reader.peek().is_none() {
            return Ok(TsQuery::default());
        }
        loop {
            self.standard_operand()?;
            if !self.standard_operator()? {
                return Ok(self.finish());
            }
        }
    }

    /// Reads NOTs, opening parentheses and a lexeme.
    fn standard_operand(&mut self) -> Result<()> {
        loop {
            self.reader.skip_space();
            match self.reader.peek() {
                Some('!') => self.push_operator(Operator::Not)?,
                Some('(') => self.waiting.push(Waiting::Parenthesis),
                Some(_) => break,
                None => {
                    let message = format!("no operand in tsquery: \"{}\"", self.text);
                    return Err(Error::new(SqlState::SYNTAX_ERROR, message));
                }
            }
            self.reader.bump();
        }
        let lexeme = self.reader.lexeme()?.ok_or_else(|| self.reader.syntax_error())?;
        let (weights, is_prefix) = self.modifiers();
        self.operand(&lexeme, weights, is_prefix)
    }

    /// Reads closing parentheses and an operator; false at the end.
    fn standard_operator(&mut self) -> Result<bool> {
        loop {
            self.reader.skip_space();
            let operator = match self.reader.peek() {
                Some(')') => {
                    self.reader.bump();
                    self.close()?;
                    continue;
                }
                Some('&') => Operator::And,
                Some('|') => Operator::Or,
                Some('<') => {
                    let distance = self.phrase_operator()?;
                    self.push_operator(Operator::Phrase(distance))?;
                    return Ok(true);
                }
                Some(_) => return Err(self.reader.syntax_error()),
                None => {
                    self.reduce(0)?;
                    let is_open = !self.waiting.is_empty();
                    return if is_open { Err(self.reader.syntax_error()) } else { Ok(false) };
                }
            };
            self.reader.bump();
            self.push_operator(operator)?;
            return Ok(true);
        }
    }

    /// `:*AB`
    fn modifiers(&mut self) -> (u8, bool) {
        let (mut weights, mut is_prefix) = (0, false);
        if self.reader.take(':') {
            while let Some(c) = self.reader.peek() {
                match Weight::from_letter(c) {
                    Some(weight) => weights |= 1 << weight as u8,
                    None if c == '*' => is_prefix = true,
                    None => break,
                }
                self.reader.bump();
            }
        }
        (weights, is_prefix)
    }

    /// `<->` or `<5>`
    fn phrase_operator(&mut self) -> Result<u16> {
        self.reader.bump();
        let distance = if self.reader.take('-') {
            1
        } else {
            let distance = self.reader.digits().ok_or_else(|| self.reader.syntax_error())?;
            if distance > DISTANCE_MAX {
                return Err(distance_error());
            }
            distance
        };
        if !self.reader.take('>') {
            return Err(self.reader.syntax_error());
        }
        u16::try_from(distance).map_err(|_| distance_error())
    }

    fn push_operator(&mut self, operator: Operator) -> Result<()> {
        // NOT stands before its operand: it never completes what is to its left.
        if operator != Operator::Not {
            self.reduce(operator.priority())?;
        }
        self.waiting.push(Waiting::Operator(operator));
        Ok(())
    }

    /// Applies what waits and binds at least as tightly, back to the last open parenthesis.
    fn reduce(&mut self, priority: u8) -> Result<()> {
        while let Some(Waiting::Operator(operator)) = self.waiting.last() {
            if operator.priority() < priority {
                break;
            }
            self.builder.apply(*operator)?;
            self.waiting.pop();
        }
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        self.reduce(0)?;
        match self.waiting.pop() {
            Some(Waiting::Parenthesis) => Ok(()),
            _ => Err(self.reader.syntax_error()),
        }
    }

    /// Takes an operand's text in.
    fn operand(&mut self, text: &str, weights: u8, is_prefix: bool) -> Result<()> {
        match self.operands {
            Operands::Words(config, joint) => {
                self.words_operand(config, joint, text, weights, is_prefix)
            }
            Operands::AsIs if text.len() > LEXEME_LEN_MAX => {
                let message = format!("word is too long in tsquery: \"{}\"", self.text);
                Err(Error::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message))
            }
            Operands::AsIs => {
                self.builder.term(TextTerm { lexeme: text.into(), is_prefix, weights });
                Ok(())
            }
        }
    }

    fn words_operand(
        &mut self,
        config: TextConfig,
        joint: Operator,
        text: &str,
        weights: u8,
        is_prefix: bool,
    ) -> Result<()> {
        let (words, _) = config.words(text, 0);
        if words.is_empty() {
            self.builder.stop_word();
            return Ok(());
        }
        let mut last_place = 0;
        for (index, word) in words.into_iter().enumerate() {
            // Stop words between words keep their positions; those before the first do not.
            for place in last_place + 1..word.place {
                if last_place > 0 {
                    debug_assert!(place > 1);
                    self.builder.stop_word();
                    self.builder.apply(joint)?;
                }
            }
            last_place = word.place;
            self.builder.term(TextTerm { lexeme: word.lexeme.into(), is_prefix, weights });
            if index > 0 {
                self.builder.apply(joint)?;
            }
        }
        Ok(())
    }

    fn websearch(mut self) -> Result<TsQuery> {
        loop {
            if !self.web_operand()? {
                break;
            }
            if !self.web_operator()? {
                break;
            }
        }
        self.reduce(0)?;
        Ok(self.finish())
    }

    /// Reads `-` and a word or a quoted phrase; false at the end.
    fn web_operand(&mut self) -> Result<bool> {
        while let Some(c) = self.reader.peek() {
            match c {
                '-' => {
                    self.reader.bump();
                    self.push_operator(Operator::Not)?;
                }
                '"' => {
                    self.reader.bump();
                    let rest = self.reader.rest();
                    let quoted = rest.split('"').next().unwrap_or_default();
                    self.reader.skip(quoted.len() + 1);
                    self.operand(quoted, 0, false)?;
                    return Ok(true);
                }
                c if is_operator(c) || is_space(c) => self.reader.bump(),
                ':' => self.reader.bump(),
                _ => {
                    let Some(lexeme) = self.reader.lexeme()? else { break };
                    self.operand(&lexeme, 0, false)?;
                    return Ok(true);
                }
            }
        }
        // An operator without an operand: as if a stop word stood there.
        if !self.builder.is_empty() || !self.waiting.is_empty() {
            self.builder.stop_word();
        }
        Ok(false)
    }

    /// Reads `or`, or nothing, which is AND; false at the end.
    fn web_operator(&mut self) -> Result<bool> {
        self.reader.skip_space();
        if self.reader.peek().is_none() {
            return Ok(false);
        }
        let is_or = self.is_or();
        if is_or {
            self.reader.skip(2);
        }
        self.push_operator(if is_or { Operator::Or } else { Operator::And })?;
        Ok(true)
    }

    /// Whether the word `or` is next, with something to come after it.
    fn is_or(&self) -> bool {
        let rest = self.reader.rest();
        let Some((word, rest)) = rest.split_at_checked(2) else { return false };
        let follows = rest.chars().next();
        word.eq_ignore_ascii_case("or")
            && follows.is_some_and(|c| !(c == '-' || c == '_' || c.is_alphanumeric()))
            && rest.chars().skip(1).any(|c| !is_space(c))
    }
}
