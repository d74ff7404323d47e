//! Kinds of objects that Postgres has and Cairn has not: recognised by their first words, so that
//! the answer is "not supported" rather than a syntax error.

use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

/// The kinds, each as its words; longer ones before their beginnings.
const KINDS: [&[&str]; 23] = [
    &["ACCESS", "METHOD"],
    &["AGGREGATE"],
    &["CAST"],
    &["COLLATION"],
    &["CONSTRAINT", "TRIGGER"],
    &["CONVERSION"],
    &["DEFAULT", "PRIVILEGES"],
    &["EVENT", "TRIGGER"],
    &["FOREIGN", "DATA"],
    &["FOREIGN", "TABLE"],
    &["FUNCTION"],
    &["LANGUAGE"],
    &["OPERATOR"],
    &["POLICY"],
    &["PROCEDURE"],
    &["PUBLICATION"],
    &["RULE"],
    &["SERVER"],
    &["STATISTICS"],
    &["SUBSCRIPTION"],
    &["TABLESPACE"],
    &["TEXT", "SEARCH"],
    &["TRIGGER"],
];

/// What the statement would define, if it is of these; all of it was consumed then.
pub(super) fn parse(parser: &mut Parser<'_>) -> Option<String> {
    let verb = parser.peek_one_of_keywords(&[Keyword::CREATE, Keyword::ALTER])?;
    let tokens = parser.peek_tokens::<5>();
    let replace = ["OR", "REPLACE"].iter().zip(&tokens[1..]).all(|(word, token)| is(token, word));
    let rest = if replace { &tokens[3..] } else { &tokens[1..] };
    let kind =
        KINDS.iter().find(|kind| kind.iter().zip(rest).all(|(word, token)| is(token, word)))?;
    if verb == Keyword::CREATE && **kind == ["FUNCTION"] {
        // Those in SQL exist, and `sqlparser` knows them.
        return None;
    }
    while parser.peek_token_ref().token != Token::EOF {
        parser.advance_token();
    }
    let verb = if verb == Keyword::CREATE { "CREATE" } else { "ALTER" };
    Some(format!("{verb} {}", kind.join(" ")))
}

fn is(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(found) if found.quote_style.is_none()
        && found.value.eq_ignore_ascii_case(word))
}
