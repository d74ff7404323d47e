//! Executing plans: operators that pull batches of rows.
