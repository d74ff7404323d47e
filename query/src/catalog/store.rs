//! Definitions kept as rows of the engine.
