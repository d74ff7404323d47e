//! The fuzzer of every decoder: the variable `TARGET` says which one. See `fuzz/README.md`.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static CHECK: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("TARGET").unwrap_or_default();
    let mut targets = cairn_engine::fuzzing::TARGETS.iter().chain(cairn_query::fuzzing::TARGETS);
    let target = targets.find(|(own, _)| *own == name);
    target.unwrap_or_else(|| panic!("TARGET={name} names no decoder")).1
});

fuzz_target!(|data: &[u8]| CHECK(data));
