//! Catalogs of what Cairn does not have: triggers, policies, partitions, publications, foreign
//! tables. Tools read them without asking first, so they are there, and empty.

use super::reader::Reader;
use super::{PG_CATALOG, SystemCatalog};
use crate::error::Result;
use crate::plan::Row;

pub(super) const CATALOGS: &[SystemCatalog] = &[
    SystemCatalog {
        oid: 1261,
        schema: PG_CATALOG,
        name: "pg_auth_members",
        columns: "roleid oid, member oid, grantor oid, admin_option bool",
        rows: nothing,
    },
    SystemCatalog {
        oid: 2611,
        schema: PG_CATALOG,
        name: "pg_inherits",
        columns: "inhrelid oid, inhparent oid, inhseqno int4, inhdetachpending bool",
        rows: nothing,
    },
    SystemCatalog {
        oid: 2328,
        schema: PG_CATALOG,
        name: "pg_foreign_data_wrapper",
        columns: "oid oid, fdwname name, fdwowner oid, fdwhandler oid, fdwvalidator oid, \
        fdwacl text[], fdwoptions text[]",
        rows: nothing,
    },
    SystemCatalog {
        oid: 1418,
        schema: PG_CATALOG,
        name: "pg_user_mapping",
        columns: "oid oid, umuser oid, umserver oid, umoptions text[]",
        rows: nothing,
    },
    SystemCatalog {
        oid: 2620,
        schema: PG_CATALOG,
        name: "pg_trigger",
        columns: "oid oid, tgrelid oid, tgparentid oid, tgname name, tgfoid oid, tgtype int2, \
        tgenabled \"char\", tgisinternal bool, tgconstrrelid oid, tgconstrindid oid, \
        tgconstraint oid, tgdeferrable bool, tginitdeferred bool, tgnargs int2, tgattr int2vector, \
        tgargs bytea, tgqual text, tgoldtable name, tgnewtable name",
        rows: nothing,
    },
    SystemCatalog {
        oid: 3256,
        schema: PG_CATALOG,
        name: "pg_policy",
        columns: "oid oid, polname name, polrelid oid, polcmd \"char\", polpermissive bool, polroles oid[], \
        polqual text, polwithcheck text",
        rows: nothing,
    },
    SystemCatalog {
        oid: 3381,
        schema: PG_CATALOG,
        name: "pg_statistic_ext",
        columns: "oid oid, stxrelid oid, stxname name, stxnamespace oid, stxowner oid, \
        stxstattarget int4, stxkeys int2vector, stxkind \"char\"[], stxexprs text",
        rows: nothing,
    },
    SystemCatalog {
        oid: 6104,
        schema: PG_CATALOG,
        name: "pg_publication",
        columns: "oid oid, pubname name, pubowner oid, puballtables bool, pubinsert bool, pubupdate bool, \
        pubdelete bool, pubtruncate bool, pubviaroot bool",
        rows: nothing,
    },
    SystemCatalog {
        oid: 6106,
        schema: PG_CATALOG,
        name: "pg_publication_rel",
        columns: "oid oid, prpubid oid, prrelid oid, prqual text, prattrs int2vector",
        rows: nothing,
    },
    SystemCatalog {
        oid: 6237,
        schema: PG_CATALOG,
        name: "pg_publication_namespace",
        columns: "oid oid, pnpubid oid, pnnspid oid",
        rows: nothing,
    },
    SystemCatalog {
        oid: 2396,
        schema: PG_CATALOG,
        name: "pg_shdescription",
        columns: "objoid oid, classoid oid, description text",
        rows: nothing,
    },
    SystemCatalog {
        oid: 3118,
        schema: PG_CATALOG,
        name: "pg_foreign_table",
        columns: "ftrelid oid, ftserver oid, ftoptions text[]",
        rows: nothing,
    },
    SystemCatalog {
        oid: 1417,
        schema: PG_CATALOG,
        name: "pg_foreign_server",
        columns: "oid oid, srvname name, srvowner oid, srvfdw oid, srvtype text, srvversion text, \
        srvacl text[], srvoptions text[]",
        rows: nothing,
    },
    SystemCatalog {
        oid: 3350,
        schema: PG_CATALOG,
        name: "pg_partitioned_table",
        columns: "partrelid oid, partstrat \"char\", partnatts int2, partdefid oid, partattrs int2vector, \
        partclass oidvector, partcollation oidvector, partexprs text",
        rows: nothing,
    },
    SystemCatalog {
        oid: 826,
        schema: PG_CATALOG,
        name: "pg_default_acl",
        columns: "oid oid, defaclrole oid, defaclnamespace oid, defaclobjtype \"char\", defaclacl text[]",
        rows: nothing,
    },
    SystemCatalog {
        oid: 3466,
        schema: PG_CATALOG,
        name: "pg_event_trigger",
        columns: "oid oid, evtname name, evtevent name, evtowner oid, evtfoid oid, evtenabled \"char\", \
        evttags text[]",
        rows: nothing,
    },
    SystemCatalog {
        oid: 0,
        schema: PG_CATALOG,
        name: "pg_seclabels",
        columns: "objoid oid, classoid oid, objsubid int4, objtype text, objnamespace oid, objname text, \
        provider text, label text",
        rows: nothing,
    },
    SystemCatalog {
        oid: 2964,
        schema: PG_CATALOG,
        name: "pg_db_role_setting",
        columns: "setdatabase oid, setrole oid, setconfig text[]",
        rows: nothing,
    },
    SystemCatalog {
        oid: 3394,
        schema: PG_CATALOG,
        name: "pg_init_privs",
        columns: "objoid oid, classoid oid, objsubid int4, privtype \"char\", initprivs text[]",
        rows: nothing,
    },
    SystemCatalog {
        oid: 6100,
        schema: PG_CATALOG,
        name: "pg_subscription",
        columns: "oid oid, subdbid oid, subskiplsn text, subname name, subowner oid, subenabled bool, \
        subbinary bool, substream bool, subtwophasestate \"char\", subdisableonerr bool, \
        subconninfo text, subslotname name, subsynccommit text, subpublications text[]",
        rows: nothing,
    },
];

fn nothing(_: &Reader<'_>) -> Result<Vec<Row>> {
    Ok(Vec::new())
}
