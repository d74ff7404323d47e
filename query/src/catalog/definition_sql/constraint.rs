//! Constraints, as `pg_get_constraintdef` prints them.

use std::sync::Arc;

use super::{AnyIndex, DefinitionSql};
use crate::catalog::{
    CheckDef, Deferral, ForeignKeyDef, IndexConstraint, IndexDef, ReferentialAction, TableDef,
};

/// Any constraint of a table.
pub enum AnyConstraint<'a> {
    /// CHECK
    Check(&'a CheckDef),
    /// FOREIGN KEY
    ForeignKey(&'a Arc<ForeignKeyDef>),
    /// PRIMARY KEY, UNIQUE, EXCLUDE
    Key(AnyIndex<'a>),
}

impl AnyConstraint<'_> {
    /// Its OID. A key has its index' OID.
    pub fn oid(&self) -> u32 {
        match self {
            Self::Check(check) => check.oid,
            Self::ForeignKey(key) => key.oid,
            Self::Key(index) => index.oid(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Check(check) => &check.name,
            Self::ForeignKey(key) => &key.name,
            Self::Key(index) => index.name(),
        }
    }

    /// When it is checked; only keys can wait.
    pub fn deferral(&self) -> Option<Deferral> {
        match self {
            Self::ForeignKey(key) => Some(key.deferral()),
            Self::Key(AnyIndex::Kept(index)) => Some(index.deferral()),
            Self::Check(_) | Self::Key(AnyIndex::RowKey(..)) => None,
        }
    }

    /// Its letter in `pg_constraint.contype`.
    pub fn letter(&self) -> char {
        match self {
            Self::Check(_) => 'c',
            Self::ForeignKey(_) => 'f',
            Self::Key(AnyIndex::RowKey(..)) => 'p',
            Self::Key(AnyIndex::Kept(index)) => match index.constraint {
                Some(IndexConstraint::PrimaryKey) => 'p',
                Some(IndexConstraint::Exclusion) => 'x',
                _ => 'u',
            },
        }
    }
}

/// All constraints of a table: keys, checks, foreign keys.
pub fn constraints(table: &TableDef) -> impl Iterator<Item = AnyConstraint<'_>> {
    let is_constraint = |index: &AnyIndex<'_>| match index {
        AnyIndex::RowKey(..) => true,
        AnyIndex::Kept(index) => index.constraint.is_some(),
    };
    let keys = super::indexes(table).filter(is_constraint).map(AnyConstraint::Key);
    let checks = table.checks.iter().map(AnyConstraint::Check);
    keys.chain(checks).chain(table.foreign_keys.iter().map(AnyConstraint::ForeignKey))
}

impl<'a> DefinitionSql<'a> {
    /// The table of a constraint, and the constraint.
    pub fn find_constraint(&self, oid: u32) -> Option<(&'a Arc<TableDef>, AnyConstraint<'a>)> {
        self.catalog().tables.values().find_map(|table| {
            let mut all = constraints(table);
            all.find(|constraint| constraint.oid() == oid).map(|constraint| (table, constraint))
        })
    }

    /// What stands behind `CONSTRAINT name`.
    pub fn constraint(&self, table: &Arc<TableDef>, constraint: &AnyConstraint<'_>) -> String {
        match constraint {
            AnyConstraint::Check(check) => {
                let tail = if check.is_not_valid { " NOT VALID" } else { "" };
                format!("CHECK ({}){tail}", self.expression(table, &check.expression))
            }
            AnyConstraint::ForeignKey(key) => self.foreign_key(table, key),
            AnyConstraint::Key(AnyIndex::RowKey(_, _, columns)) => {
                format!("PRIMARY KEY ({})", Self::column_list(table, columns))
            }
            AnyConstraint::Key(AnyIndex::Kept(index)) => self.key(table, index),
        }
    }

    fn key(&self, table: &Arc<TableDef>, index: &Arc<IndexDef>) -> String {
        if index.constraint == Some(IndexConstraint::Exclusion) {
            let body = self.index_body(table, &AnyIndex::Kept(index));
            return format!("EXCLUDE USING {body}");
        }
        let columns: Vec<usize> = index.keys.iter().filter_map(|key| key.column).collect();
        let word = match index.constraint {
            Some(IndexConstraint::PrimaryKey) => "PRIMARY KEY",
            _ if index.nulls_not_distinct => "UNIQUE NULLS NOT DISTINCT",
            _ => "UNIQUE",
        };
        let mut text = format!("{word} ({})", Self::column_list(table, &columns));
        if !index.included.is_empty() {
            let included = Self::column_list(table, &index.included);
            text.push_str(&format!(" INCLUDE ({included})"));
        }
        text.push_str(deferral_words(index.deferral()));
        text
    }

    fn foreign_key(&self, table: &TableDef, key: &ForeignKeyDef) -> String {
        let mine = Self::column_list(table, &key.columns);
        let theirs = self.catalog().table(key.referenced_table);
        let theirs = theirs.map(|table| Self::column_list(table, &key.referenced_columns));
        let mut text = format!(
            "FOREIGN KEY ({mine}) REFERENCES {}({})",
            self.table_name(key.referenced_table),
            theirs.unwrap_or_default()
        );
        for (event, action) in [("UPDATE", key.on_update), ("DELETE", key.on_delete)] {
            if action != ReferentialAction::NoAction {
                text.push_str(&format!(" ON {event} {}", action_words(action)));
            }
        }
        text.push_str(deferral_words(key.deferral()));
        if key.is_not_valid {
            text.push_str(" NOT VALID");
        }
        text
    }
}

fn deferral_words(deferral: Deferral) -> &'static str {
    match (deferral.is_deferrable, deferral.is_deferred) {
        (true, true) => " DEFERRABLE INITIALLY DEFERRED",
        (true, false) => " DEFERRABLE",
        (false, _) => "",
    }
}

/// A referential action as SQL says it.
pub fn action_words(action: ReferentialAction) -> &'static str {
    match action {
        ReferentialAction::NoAction => "NO ACTION",
        ReferentialAction::Restrict => "RESTRICT",
        ReferentialAction::Cascade => "CASCADE",
        ReferentialAction::SetNull => "SET NULL",
        ReferentialAction::SetDefault => "SET DEFAULT",
    }
}
