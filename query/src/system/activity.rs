//! What changes by itself: `pg_stat_activity`, `pg_locks`, `pg_settings`. The session makes the
//! rows when they are asked for.

use super::{PG_CATALOG, SystemCatalog};
use crate::expression::context::SystemFacts;

pub(super) const CATALOGS: &[SystemCatalog] = &[
    SystemCatalog {
        oid: 0,
        schema: PG_CATALOG,
        name: "pg_stat_activity",
        columns: "datid oid, datname name, pid int4, leader_pid int4, usesysid oid, usename name, \
        application_name text, client_addr text, client_hostname text, client_port int4, \
        backend_start timestamptz, xact_start timestamptz, query_start timestamptz, \
        state_change timestamptz, wait_event_type text, wait_event text, state text, \
        backend_xid oid, backend_xmin oid, query_id int8, query text, backend_type text",
        rows: |reader| reader.running(SystemFacts::Activity),
    },
    SystemCatalog {
        oid: 0,
        schema: PG_CATALOG,
        name: "pg_locks",
        columns: "locktype text, database oid, relation oid, page int4, tuple int2, virtualxid text, \
        transactionid oid, classid oid, objid oid, objsubid int2, virtualtransaction text, \
        pid int4, mode text, granted bool, fastpath bool, waitstart timestamptz",
        rows: |reader| reader.running(SystemFacts::Locks),
    },
    SystemCatalog {
        oid: 0,
        schema: PG_CATALOG,
        name: "pg_settings",
        columns: "name text, setting text, unit text, category text, short_desc text, extra_desc text, \
        context text, vartype text, source text, min_val text, max_val text, enumvals text[], \
        boot_val text, reset_val text, sourcefile text, sourceline int4, pending_restart bool",
        rows: |reader| reader.running(SystemFacts::Settings),
    },
];
