//! Checks of the manifest's decoders; see [`crate::fuzzing`].

use std::path::Path;
use std::sync::Arc;

use super::edit::Edit;
use super::manifest::{Manifest, read_current, read_manifest};
use super::shape::Shape;
use crate::env::{Env, FileId, FileName, MemoryFs};
use crate::fuzzing::head;

/// One edit.
pub(crate) fn edit(data: &[u8]) {
    let Some(edit) = Edit::decode(data) else { return };
    let mut again = Vec::new();
    edit.encode(&mut again);
    assert_eq!(Edit::decode(&again).as_ref(), Some(&edit));
    if let Ok(shape) = Shape::default().after(&edit) {
        let all = Shape { closed: None, ..shape };
        assert_eq!(Shape::default().after(&all.to_edit()).as_ref(), Ok(&all));
    }
}

/// A whole manifest, with CURRENT: edits of any bytes, then damage. What is read is what a prefix
/// of the edits says, or nothing.
pub(crate) fn manifest(data: &[u8]) {
    const ID: FileId = FileId(3);
    let ([edit_len, at, mask], rest) = head::<3>(data);
    let files = MemoryFs::default();
    let env = Env::with_files(Arc::new(files.clone()));
    let dir = Path::new("/db");
    env.vfs.create_dir_all(dir).expect("in memory");
    let mut shape = Shape::default();
    let mut prefixes = vec![shape.clone()];
    let mut manifest = Manifest::create(&env, dir, ID, &shape).expect("in memory");
    for edit in rest.chunks(usize::from(edit_len).max(4)).filter_map(Edit::decode) {
        let Ok(next) = shape.after(&edit) else { continue };
        manifest.append(&edit).expect("in memory");
        shape = next;
        prefixes.push(shape.clone());
    }
    assert_eq!(read_current(&env, dir).ok(), Some(Some(ID)));
    assert_eq!(read_manifest(&env, dir, ID).as_ref().ok(), Some(&shape));
    let path = FileName::Manifest(ID).path(dir);
    let place = usize::from(at) * 97 % usize::try_from(manifest.len()).unwrap_or(usize::MAX);
    files.corrupt(&path, place, mask);
    if let Ok(found) = read_manifest(&env, dir, ID) {
        assert!(prefixes.contains(&found), "no prefix of the edits says this");
    }
}
