//! `LIKE table [INCLUDING …]` in CREATE TABLE: `sqlparser` knows it alone, without columns beside
//! it, and one of its options.
//!
//! Each is cut out of the list of columns and kept beside the tree, with how many columns come
//! before it.

use sqlparser::ast::ObjectName;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::dialect::CairnDialect;

/// A table whose columns are copied.
#[derive(Clone, Debug)]
pub(crate) struct Like {
    /// Its name.
    pub name: ObjectName,
    /// How many columns the statement has before it.
    pub position: usize,
    /// What more is copied.
    pub including: Including,
}

/// What `INCLUDING` names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Including {
    /// `CONSTRAINTS`: CHECK
    pub checks: bool,
    /// `DEFAULTS`
    pub defaults: bool,
    /// `GENERATED`
    pub generated: bool,
    /// `IDENTITY`
    pub identity: bool,
    /// `INDEXES`, with PRIMARY KEY and UNIQUE
    pub indexes: bool,
}

impl Including {
    /// Notes one option; answers whether it exists.
    fn set(&mut self, option: &str, is_on: bool) -> bool {
        match option.to_ascii_uppercase().as_str() {
            "CONSTRAINTS" => self.checks = is_on,
            "DEFAULTS" => self.defaults = is_on,
            "GENERATED" => self.generated = is_on,
            "IDENTITY" => self.identity = is_on,
            "INDEXES" => self.indexes = is_on,
            "COMMENTS" | "COMPRESSION" | "STATISTICS" | "STORAGE" => {}
            "ALL" => {
                let (checks, defaults, generated) = (is_on, is_on, is_on);
                *self = Self { checks, defaults, generated, identity: is_on, indexes: is_on };
            }
            _ => return false,
        }
        true
    }
}

/// The `LIKE` that begins at a token, and where it ends.
///
/// # Errors
/// What is no name or no option.
pub(super) fn parse(
    tokens: &[TokenWithSpan],
    at: usize,
    position: usize,
) -> Result<(Like, usize), ParserError> {
    let rest = tokens.get(at..).unwrap_or_default();
    let mut parser = Parser::new(&CairnDialect).with_tokens_with_locations(rest.to_vec());
    parser.expect_keyword(Keyword::LIKE)?;
    let name = parser.parse_object_name(false)?;
    let mut including = Including::default();
    while let Some(word) = parser.parse_one_of_keywords(&[Keyword::INCLUDING, Keyword::EXCLUDING]) {
        let is_known = match &parser.peek_token_ref().token {
            Token::Word(option) => including.set(&option.value, word == Keyword::INCLUDING),
            _ => false,
        };
        if !is_known {
            return parser.expected_ref("what to include", parser.peek_token_ref());
        }
        parser.advance_token();
    }
    Ok((Like { name, position, including }, at + parser.get_current_index() + 1))
}

#[cfg(test)]
mod tests {
    use crate::parse::parse;

    #[test]
    fn tables_to_copy_are_cut_out() {
        let sql = "CREATE TABLE t (a INT, LIKE s.b INCLUDING ALL EXCLUDING INDEXES, c INT, LIKE d)";
        let statement = parse(sql).unwrap().remove(0);
        let crate::parse::Syntax::Sql(ast) = statement.syntax.as_ref() else { panic!("{sql}") };
        assert_eq!(ast.to_string(), "CREATE TABLE t (a INT, c INT)");
        let [first, second] = statement.extensions.likes() else { panic!("two") };
        assert_eq!((first.name.to_string(), first.position), ("s.b".to_owned(), 1));
        assert!(first.including.defaults && !first.including.indexes);
        assert_eq!((second.name.to_string(), second.position), ("d".to_owned(), 2));
        assert!(parse("CREATE TABLE t (LIKE d INCLUDING NONSENSE)").is_err());
    }
}
