//! Words that Postgres keeps for itself: unquoted, they are no names of tables and columns.

use sqlparser::ast::Ident;

use crate::identifier;

/// Whether a name as written can be none.
pub(crate) fn is_reserved(name: &Ident) -> bool {
    let word = name.value.to_ascii_lowercase();
    name.quote_style.is_none() && identifier::is_reserved(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_words_are_found() {
        assert!(is_reserved(&Ident::new("User")) && is_reserved(&Ident::new("where")));
        assert!(!is_reserved(&Ident::with_quote('"', "user")) && !is_reserved(&Ident::new("name")));
    }
}
