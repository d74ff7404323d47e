//! Statement text to syntax trees; the only other room that knows `sqlparser` is [`crate::bind`].
