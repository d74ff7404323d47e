//! Rules that turn a plan into a cheaper one with the same rows.
