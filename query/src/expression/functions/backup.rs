//! Copies of the whole data directory, for superusers: `cairn_backup`, `cairn_checkpoint`.

use super::Builder;
use super::system::void;

pub(super) fn register(builder: &mut Builder) {
    builder
        .function("cairn_backup(text) -> int8", |ctx, args| {
            ctx.services.system_call("cairn_backup", args)
        })
        .volatile();
    builder
        .function("cairn_checkpoint(text) -> void", |ctx, args| {
            ctx.services.system_call("cairn_checkpoint", args)?;
            Ok(void())
        })
        .volatile();
}
