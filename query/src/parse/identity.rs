//! The options of an identity column, which Postgres takes in any order and `sqlparser` in one.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// Puts the options behind `AS IDENTITY (` into the parser's order.
pub(super) fn order_options(tokens: &mut [TokenWithSpan]) {
    let is_start = |at: usize, tokens: &[TokenWithSpan]| {
        keyword(tokens.get(at)) == Some(Keyword::IDENTITY)
            && tokens.get(at + 1).is_some_and(|token| token.token == Token::LParen)
    };
    for at in 0..tokens.len() {
        if !is_start(at, tokens) {
            continue;
        }
        let inside = tokens.get_mut(at + 2..).unwrap_or_default();
        let close = inside.iter().position(|token| token.token == Token::RParen);
        if let Some(options) = close.and_then(|close| inside.get_mut(..close)) {
            sort(options);
        }
    }
}

fn sort(options: &mut [TokenWithSpan]) {
    let mut groups: Vec<(usize, Vec<TokenWithSpan>)> = Vec::new();
    for at in 0..options.len() {
        let Some(token) = options.get(at) else { continue };
        let is_negated = at > 0 && keyword(options.get(at - 1)) == Some(Keyword::NO);
        let rank = rank(token, options.get(at + 1)).filter(|_| !is_negated);
        match (rank, groups.last_mut()) {
            (None, Some((_, group))) => group.push(token.clone()),
            (rank, _) => groups.push((rank.unwrap_or(0), vec![token.clone()])),
        }
    }
    groups.sort_by_key(|(rank, _)| *rank);
    let sorted = groups.into_iter().flat_map(|(_, group)| group);
    options.iter_mut().zip(sorted).for_each(|(place, token)| *place = token);
}

/// Where the option that begins with a token stands in the parser's order; `None` in the middle
/// of one.
fn rank(token: &TokenWithSpan, next: Option<&TokenWithSpan>) -> Option<usize> {
    let word = match keyword(Some(token))? {
        Keyword::NO => keyword(next)?,
        word => word,
    };
    const ORDER: [Keyword; 6] = [
        Keyword::INCREMENT,
        Keyword::MINVALUE,
        Keyword::MAXVALUE,
        Keyword::START,
        Keyword::CACHE,
        Keyword::CYCLE,
    ];
    ORDER.iter().position(|known| *known == word)
}

fn keyword(token: Option<&TokenWithSpan>) -> Option<Keyword> {
    match &token?.token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.keyword),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::parse::{Syntax, parse};

    #[test]
    fn options_come_in_any_order() {
        let sql = "CREATE TABLE t (id INT GENERATED ALWAYS AS IDENTITY \
                   (START WITH 5 NO CYCLE CACHE 1 NO MAXVALUE INCREMENT BY -2))";
        let statement = parse(sql).unwrap().remove(0);
        let Syntax::Sql(ast) = statement.syntax.as_ref() else { panic!("{sql}") };
        let options = "INCREMENT BY -2 NO MAXVALUE START WITH 5 CACHE 1 NO CYCLE";
        assert!(ast.to_string().contains(options), "{ast}");
    }
}
