//! `information_schema`, as the SQL standard and Postgres lay it out.

use super::reader::Reader;
use super::{INFORMATION_SCHEMA, SystemCatalog};
use crate::catalog::Relation;

mod columns;
mod constraints;
mod key_usage;
mod names;
mod relations;
mod type_facts;
mod user_types;

pub(super) const CATALOGS: &[SystemCatalog] = &[
    catalog(
        "tables",
        "table_catalog name, table_schema name, table_name name, table_type varchar, \
        self_referencing_column_name name, reference_generation varchar, \
        user_defined_type_catalog name, user_defined_type_schema name, \
        user_defined_type_name name, is_insertable_into varchar, is_typed varchar, \
        commit_action varchar",
        relations::tables,
    ),
    catalog(
        "views",
        "table_catalog name, table_schema name, table_name name, view_definition varchar, \
        check_option varchar, is_updatable varchar, is_insertable_into varchar, \
        is_trigger_updatable varchar, is_trigger_deletable varchar, \
        is_trigger_insertable_into varchar",
        relations::views,
    ),
    catalog(
        "view_table_usage",
        "view_catalog name, view_schema name, view_name name, table_catalog name, \
        table_schema name, table_name name",
        relations::view_table_usage,
    ),
    catalog(
        "table_privileges",
        "grantor name, grantee name, table_catalog name, table_schema name, table_name name, \
        privilege_type varchar, is_grantable varchar, with_hierarchy varchar",
        relations::privileges,
    ),
    catalog(
        "role_table_grants",
        "grantor name, grantee name, table_catalog name, table_schema name, table_name name, \
        privilege_type varchar, is_grantable varchar, with_hierarchy varchar",
        relations::privileges,
    ),
    catalog(
        "column_privileges",
        "grantor name, grantee name, table_catalog name, table_schema name, table_name name, \
        column_name name, privilege_type varchar, is_grantable varchar",
        relations::column_privileges,
    ),
    catalog(
        "sequences",
        "sequence_catalog name, sequence_schema name, sequence_name name, data_type varchar, \
        numeric_precision int4, numeric_precision_radix int4, numeric_scale int4, \
        start_value varchar, minimum_value varchar, maximum_value varchar, increment varchar, \
        cycle_option varchar",
        relations::sequences,
    ),
    catalog(
        "columns",
        "table_catalog name, table_schema name, table_name name, column_name name, \
        ordinal_position int4, column_default varchar, is_nullable varchar, data_type varchar, \
        character_maximum_length int4, character_octet_length int4, numeric_precision int4, \
        numeric_precision_radix int4, numeric_scale int4, datetime_precision int4, \
        interval_type varchar, interval_precision int4, character_set_catalog name, \
        character_set_schema name, character_set_name name, collation_catalog name, \
        collation_schema name, collation_name name, domain_catalog name, domain_schema name, \
        domain_name name, udt_catalog name, udt_schema name, udt_name name, scope_catalog name, \
        scope_schema name, scope_name name, maximum_cardinality int4, dtd_identifier name, \
        is_self_referencing varchar, is_identity varchar, identity_generation varchar, \
        identity_start varchar, identity_increment varchar, identity_maximum varchar, \
        identity_minimum varchar, identity_cycle varchar, is_generated varchar, \
        generation_expression varchar, is_updatable varchar",
        columns::columns,
    ),
    catalog(
        "table_constraints",
        "constraint_catalog name, constraint_schema name, constraint_name name, \
        table_catalog name, table_schema name, table_name name, constraint_type varchar, \
        is_deferrable varchar, initially_deferred varchar, enforced varchar, \
        nulls_distinct varchar",
        constraints::tables,
    ),
    catalog(
        "referential_constraints",
        "constraint_catalog name, constraint_schema name, constraint_name name, \
        unique_constraint_catalog name, unique_constraint_schema name, \
        unique_constraint_name name, match_option varchar, update_rule varchar, \
        delete_rule varchar",
        constraints::references,
    ),
    catalog(
        "check_constraints",
        "constraint_catalog name, constraint_schema name, constraint_name name, \
        check_clause varchar",
        constraints::checks,
    ),
    catalog(
        "key_column_usage",
        "constraint_catalog name, constraint_schema name, constraint_name name, \
        table_catalog name, table_schema name, table_name name, column_name name, \
        ordinal_position int4, position_in_unique_constraint int4",
        key_usage::keys,
    ),
    catalog(
        "constraint_column_usage",
        "table_catalog name, table_schema name, table_name name, column_name name, \
        constraint_catalog name, constraint_schema name, constraint_name name",
        key_usage::constrained_columns,
    ),
    catalog(
        "constraint_table_usage",
        "table_catalog name, table_schema name, table_name name, constraint_catalog name, \
        constraint_schema name, constraint_name name",
        key_usage::constrained_tables,
    ),
    catalog(
        "schemata",
        "catalog_name name, schema_name name, schema_owner name, \
        default_character_set_catalog name, default_character_set_schema name, \
        default_character_set_name name, sql_path varchar",
        names::schemata,
    ),
    catalog(
        "domains",
        "domain_catalog name, domain_schema name, domain_name name, data_type varchar, \
        character_maximum_length int4, character_octet_length int4, character_set_catalog name, \
        character_set_schema name, character_set_name name, collation_catalog name, \
        collation_schema name, collation_name name, numeric_precision int4, \
        numeric_precision_radix int4, numeric_scale int4, datetime_precision int4, \
        interval_type varchar, interval_precision int4, domain_default varchar, \
        udt_catalog name, udt_schema name, udt_name name, scope_catalog name, \
        scope_schema name, scope_name name, maximum_cardinality int4, dtd_identifier name",
        user_types::domains,
    ),
    catalog(
        "domain_constraints",
        "constraint_catalog name, constraint_schema name, constraint_name name, \
        domain_catalog name, domain_schema name, domain_name name, is_deferrable varchar, \
        initially_deferred varchar",
        user_types::domain_constraints,
    ),
    catalog(
        "attributes",
        "udt_catalog name, udt_schema name, udt_name name, attribute_name name, \
        ordinal_position int4, attribute_default varchar, is_nullable varchar, \
        data_type varchar, character_maximum_length int4, character_octet_length int4, \
        character_set_catalog name, character_set_schema name, character_set_name name, \
        collation_catalog name, collation_schema name, collation_name name, \
        numeric_precision int4, numeric_precision_radix int4, numeric_scale int4, \
        datetime_precision int4, interval_type varchar, interval_precision int4, \
        attribute_udt_catalog name, attribute_udt_schema name, attribute_udt_name name, \
        scope_catalog name, scope_schema name, scope_name name, maximum_cardinality int4, \
        dtd_identifier name, is_derived_reference_attribute varchar",
        user_types::attributes,
    ),
    catalog(
        "routines",
        "specific_catalog name, specific_schema name, specific_name name, routine_catalog name, \
        routine_schema name, routine_name name, routine_type varchar, data_type varchar, \
        routine_body varchar, routine_definition varchar, external_language varchar, \
        is_deterministic varchar, security_type varchar",
        |_| Ok(Vec::new()),
    ),
    catalog(
        "parameters",
        "specific_catalog name, specific_schema name, specific_name name, \
        ordinal_position int4, parameter_mode varchar, is_result varchar, as_locator varchar, \
        parameter_name name, data_type varchar",
        |_| Ok(Vec::new()),
    ),
    catalog("information_schema_catalog_name", "catalog_name name", names::catalog_name),
    catalog("enabled_roles", "role_name name", names::enabled_roles),
    catalog("applicable_roles", "grantee name, role_name name, is_grantable varchar", |_| {
        Ok(Vec::new())
    }),
    catalog(
        "triggers",
        "trigger_catalog name, trigger_schema name, trigger_name name, \
        event_manipulation varchar, event_object_catalog name, event_object_schema name, \
        event_object_table name, action_order int4, action_condition varchar, \
        action_statement varchar, action_orientation varchar, action_timing varchar, \
        action_reference_old_table name, action_reference_new_table name, \
        action_reference_old_row name, action_reference_new_row name, created timestamptz",
        |_| Ok(Vec::new()),
    ),
];

type Rows = fn(&Reader<'_>) -> crate::error::Result<Vec<crate::plan::Row>>;

const fn catalog(name: &'static str, columns: &'static str, rows: Rows) -> SystemCatalog {
    SystemCatalog { oid: 0, schema: INFORMATION_SCHEMA, name, columns, rows }
}

/// Whether an OID is a plain view's.
fn is_view(reader: &Reader<'_>, oid: u32) -> bool {
    reader.catalog().views.get(&oid).is_some_and(|view| view.materialized.is_none())
}

/// Schema and name of a table or view.
fn name_of<'a>(reader: &Reader<'a>, oid: u32) -> Option<(&'a str, &'a str)> {
    let is_it = |relation: &Relation| matches!(relation, Relation::Table(own) | Relation::View(own) if *own == oid);
    let mut relations = reader.catalog().relations.iter();
    relations.find(|(_, relation)| is_it(relation)).map(|((schema, name), _)| (&**schema, &**name))
}
