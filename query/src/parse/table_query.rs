//! `TABLE name` is short for `SELECT * FROM name`: the parser is given the long form. All three of
//! its words stand where the short one does.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// The tokens of a statement, white space apart, with every such query in its long form.
pub(super) fn spell_out(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    if !(0..tokens.len()).any(|at| begins_query(&tokens, at)) {
        return tokens;
    }
    let mut spelled = Vec::with_capacity(tokens.len() + 2);
    for (at, token) in tokens.iter().enumerate() {
        if begins_query(&tokens, at) {
            let words = [Token::make_keyword("SELECT"), Token::Mul, Token::make_keyword("FROM")];
            spelled.extend(words.map(|word| TokenWithSpan::new(word, token.span)));
        } else {
            spelled.push(token.clone());
        }
    }
    spelled
}

/// Whether `TABLE` stands where a query can begin, and a name behind it.
fn begins_query(tokens: &[TokenWithSpan], at: usize) -> bool {
    if keyword(tokens, Some(at)) != Some(Keyword::TABLE) {
        return false;
    }
    let is_named = matches!(tokens.get(at + 1).map(|next| &next.token), Some(Token::Word(_)));
    let before = at.checked_sub(1);
    let is_open = before.is_none_or(|before| {
        matches!(tokens.get(before).map(|it| &it.token), Some(Token::LParen | Token::RParen))
    });
    let is_behind = |at| {
        use Keyword::{ANALYZE, AS, EXCEPT, EXPLAIN, FOR, INTERSECT, UNION, VERBOSE};
        let opens = [AS, FOR, UNION, INTERSECT, EXCEPT, EXPLAIN, ANALYZE, VERBOSE];
        keyword(tokens, at).is_some_and(|word| opens.contains(&word))
    };
    let is_joined = matches!(keyword(tokens, before), Some(Keyword::ALL | Keyword::DISTINCT))
        && is_behind(at.checked_sub(2));
    is_named && (is_open || is_behind(before) || is_joined)
}

fn keyword(tokens: &[TokenWithSpan], at: Option<usize>) -> Option<Keyword> {
    match &tokens.get(at?)?.token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.keyword),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::parse::parse;

    #[test]
    fn a_table_is_a_query_where_one_can_stand() {
        for sql in [
            "table t",
            "TABLE s.t ORDER BY a LIMIT 1",
            "table t union all table u",
            "WITH x AS (TABLE t) TABLE x",
            "SELECT * FROM (TABLE t) x",
        ] {
            assert!(parse(sql).unwrap().pop().unwrap().query().is_some(), "{sql}");
        }
        for sql in ["DROP TABLE t", "CREATE TABLE t AS TABLE u", "LOCK TABLE t"] {
            assert!(parse(sql).unwrap().pop().unwrap().query().is_none(), "{sql}");
        }
        assert!(parse("table").is_err());
    }
}
