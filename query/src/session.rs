//! One client: its transaction, settings and prepared statements.
