//! Binding: names become positions, and every expression gets a type.
