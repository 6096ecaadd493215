//! What is loaded and what is refused: untrusted bytes, bombs, foreign imports, and the cache of
//! compiled code.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use wasm_encoder::{
    CodeSection, Component, ComponentImportSection, ComponentTypeRef, ComponentTypeSection, Function,
    FunctionSection, InstanceType, Module, ModuleSection, NestedComponentSection, TypeSection,
};

use valetkey::config;
use valetkey::manifest;
use valetkey::sandbox::compiler::Compiler;
use valetkey::sandbox::{LoadError, Sandbox};
use valetkey_tests::{artifacts, guests};

use crate::bench::{self, Bench};
use crate::vendor::Vendor;

#[test]
fn imports_outside_the_world_are_refused_by_name() {
    let bench = Bench::new();
    for name in [
        "wasi:http/outgoing-handler@0.2.0",
        "wasi:http/types@0.2.6",
        "wasi:sockets/tcp@0.2.6",
        "wasi:sockets/ip-name-lookup@0.2.0",
        "wasi:cli/environment@0.3.0",
        "wasi:cli/environment@0.2.0-rc-2023-11-10",
        "wasi:keyvalue/store@0.2.0",
        "valetkey:connector/vault@0.1.0",
        "valetkey:connector/http@0.2.0",
        "valetkey:connector/http@1.0.0",
        "valetkey:connector/http",
        "valetkey:connector-evil/http@0.1.0",
        "evil:thing/api@0.1.0",
        "host",
    ] {
        match bench.sandbox.inspect(&importing(name)) {
            Err(LoadError::ForbiddenImport(refused)) => assert_eq!(refused, name),
            other => panic!("{name}: {other:?}"),
        }
    }
    // A good name does not help a thing that is not an interface.
    assert!(matches!(
        bench.sandbox.inspect(&importing_function("run")),
        Err(LoadError::ForbiddenImport(_))
    ));
    assert!(matches!(
        bench.sandbox.inspect(&importing("valetkey:connector/http@0.1.7")),
        Err(LoadError::MissingExport(_))
    ));
}

/// Components in the field were built against the contract of their day.
#[tokio::test]
async fn components_of_every_released_contract_still_run() {
    let folder = artifacts::repository().join("tests/sandbox/released");
    let mut ran = 0;
    for entry in fs::read_dir(folder).expect("the components") {
        let bytes = fs::read(entry.expect("an entry").path()).expect("a component");
        let bench = Bench::new();
        let vendor = Vendor::answering().await;
        let component = bench.load_bytes(bytes).await;
        let grant = bench.reaching(&vendor.url);
        let answer = bench.call(&component, grant, "side_by_side", "2 GET /").await;
        assert_eq!(answer.expect("an answer").data, r#"["/0", "/1"]"#);
        ran += 1;
    }
    assert!(ran > 0);
}

#[test]
fn what_is_not_a_component_is_refused_for_what_it_is() {
    let bench = Bench::with(config::Sandbox {
        max_component_bytes: 1024 * 1024,
        ..config::Sandbox::default()
    });
    for (bytes, said) in [
        (&b""[..], "does not begin"),
        (b"\0asm", "ends within its header"),
        (b"\0asm\x01\0\0\0", "core module"),
        (b"\x7fELF\x02\x01\x01\0", "precompiled"),
        (b"#!/bin/sh\n", "does not begin"),
    ] {
        let error = bench.sandbox.inspect(bytes).expect_err("refused");
        assert!(matches!(error, LoadError::NotAComponent(_)), "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
    assert!(matches!(
        bench.sandbox.inspect(&vec![0; 1024 * 1024 + 1]),
        Err(LoadError::TooLarge { .. })
    ));
    let component = artifacts::guest("echo");
    for cut in [9, 100, component.len() / 2, component.len() - 1] {
        bench
            .sandbox
            .inspect(&component[..cut])
            .expect_err("a truncated file is refused");
    }
}

#[tokio::test]
async fn compiled_code_is_never_accepted_as_a_component() {
    let bench = Bench::new();
    bench.load("echo").await;
    let artifact = fs::read(only_artifact(bench.cache.path())).expect("an artifact");
    let error = bench.sandbox.inspect(&artifact).expect_err("refused");
    assert!(error.to_string().contains("precompiled"), "{error}");
}

#[test]
fn bombs_are_refused_before_anything_is_compiled() {
    let bench = Bench::new();
    let before = Instant::now();
    for (what, bytes) in [
        ("functions", of_module(&many_functions(50_000))),
        ("types", of_module(&many_types(60_000))),
        ("component types", many_component_types(60_000)),
        ("nesting", nested(40)),
        ("modules", many_modules(2_000)),
        ("one function", of_module(&one_function(2 * 1024 * 1024))),
    ] {
        match bench.sandbox.inspect(&bytes) {
            Err(LoadError::TooComplex(said)) => assert!(!said.is_empty()),
            other => panic!("{what}: {other:?}"),
        }
    }
    assert!(
        before.elapsed() < Duration::from_secs(5),
        "{:?}",
        before.elapsed()
    );
}

#[test]
fn ten_thousand_mutants_are_inspected_without_a_panic() {
    let bench = Bench::new();
    let original = artifacts::guest("echo");
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % bound as u64).expect("below a usize")
    };
    let mut refused = 0;
    for _ in 0..10_000 {
        let mut mutant = original.clone();
        match next(4) {
            0 => mutant.truncate(next(original.len())),
            1 => {
                let (from, to) = (next(original.len()), next(original.len()));
                let byte = mutant[from];
                mutant.insert(to, byte);
            }
            _ => {
                for _ in 0..=next(8) {
                    let at = next(original.len());
                    mutant[at] ^= 1 << next(8);
                }
            }
        }
        refused += u32::from(bench.sandbox.inspect(&mutant).is_err());
    }
    assert!(refused > 5_000, "only {refused} mutants were refused");
}

#[tokio::test]
async fn compiled_code_is_kept_for_the_owner_alone_and_used_again() {
    let bench = Bench::new();
    bench.load("echo").await;
    let folder = fs::metadata(bench.cache.path()).expect("the folder");
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    let path = only_artifact(bench.cache.path());
    assert_eq!(
        fs::metadata(&path).expect("it").permissions().mode() & 0o777,
        0o600
    );
    let written = fs::metadata(&path).and_then(|it| it.modified()).expect("a time");

    // A sandbox that cannot compile at all loads it from the cache.
    let again = without_compiler(&bench);
    let bytes = artifacts::guest("echo");
    let inspection = again.inspect(&bytes).expect("good");
    again
        .compile(bytes.into(), &inspection)
        .await
        .expect("from the cache");
    assert_eq!(
        fs::metadata(&path).and_then(|it| it.modified()).expect("a time"),
        written
    );
}

#[tokio::test]
async fn a_tampered_cache_entry_is_ignored_and_made_anew() {
    let bench = Bench::new();
    bench.load("echo").await;
    let path = only_artifact(bench.cache.path());
    let good = fs::read(&path).expect("an artifact");
    let echo = artifacts::guest("echo");
    let inspection = bench.sandbox.inspect(&echo).expect("good");
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    for bad in [
        flipped(good.len() / 2),
        flipped(good.len() - 1),
        good[..100].to_vec(),
        Vec::new(),
    ] {
        fs::write(&path, &bad).expect("written");
        let refused = without_compiler(&bench)
            .compile(echo.clone().into(), &inspection)
            .await;
        assert!(refused.is_err(), "a damaged entry is not run");
        fs::write(&path, &bad).expect("written");
        bench.load("echo").await;
        assert_eq!(
            fs::read(&path).expect("an artifact").len(),
            good.len(),
            "it was made anew"
        );
    }
    // Another component's code under this one's name is not taken either.
    let other = Bench::new();
    other.load("snoop").await;
    fs::copy(only_artifact(other.cache.path()), &path).expect("copied");
    assert!(
        without_compiler(&bench)
            .compile(echo.clone().into(), &inspection)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn code_of_other_engines_and_left_overs_are_tidied() {
    let bench = Bench::new();
    bench.load("echo").await;
    let stale = bench
        .cache
        .path()
        .join(format!("{}-0123456789abcdef.cwasm", "0".repeat(64)));
    let half = bench.cache.path().join("half.tmp");
    fs::write(&stale, "x").expect("written");
    fs::write(&half, "x").expect("written");
    bench::sandbox(&bench.settings, bench.cache.path());
    assert!(!stale.exists() && !half.exists());
    only_artifact(bench.cache.path());
}

/// The way in which a real host compiles: in a process of its own, under its limits.
#[tokio::test]
async fn the_binary_compiles_for_its_host_within_its_limits() {
    let mut bench = Bench::new();
    let helper = Compiler::Helper(artifacts::binary());
    bench.sandbox = Arc::new(bench::sandbox(&bench.settings, bench.cache.path()).with_compiler(helper));
    let component = bench.load("echo").await;
    let answer = bench.call(&component, bench.grant(), "run", "{}").await;
    assert_eq!(answer.expect("an answer").data, "{}");
}

#[tokio::test]
async fn a_compiler_that_dies_or_hangs_is_told_as_such() {
    let bench = Bench::with(config::Sandbox {
        compile_seconds: 1,
        ..config::Sandbox::default()
    });
    let echo = artifacts::guest("echo");
    let inspection = bench.sandbox.inspect(&echo).expect("good");
    let scripts = tempfile::tempdir().expect("a folder");
    for (script, said) in [
        ("cat >/dev/null; kill -9 $$", "limits"),
        (
            "cat >/dev/null; printf 'no\\033[31m' >&2; exit 1",
            "no\\u{1b}[31m",
        ),
        ("cat >/dev/null; while :; do :; done", "longer than 1 s"),
    ] {
        let path = executable(scripts.path(), script);
        let sandbox =
            bench::sandbox(&bench.settings, bench.cache.path()).with_compiler(Compiler::Helper(path));
        let Err(error) = sandbox.compile(echo.clone().into(), &inspection).await else {
            panic!("{script}: compiled");
        };
        assert!(error.to_string().contains(said), "{script}: {error}");
    }
}

fn without_compiler(bench: &Bench) -> Sandbox {
    bench::sandbox(&bench.settings, bench.cache.path()).with_compiler(Compiler::Helper("/bin/false".into()))
}

fn executable(dir: &Path, script: &str) -> PathBuf {
    let path = dir.join(format!("{}.sh", script.len()));
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("executable");
    path
}

fn only_artifact(dir: &Path) -> PathBuf {
    let mut artifacts: Vec<_> = fs::read_dir(dir)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "cwasm"))
        .collect();
    assert_eq!(artifacts.len(), 1, "{artifacts:?}");
    artifacts.remove(0)
}

fn with_manifest(component: &Component) -> Vec<u8> {
    manifest::embed(component.as_slice(), &guests::manifest("made")).expect("a component")
}

fn importing(name: &str) -> Vec<u8> {
    let mut types = ComponentTypeSection::new();
    types.instance(&InstanceType::new());
    let mut imports = ComponentImportSection::new();
    imports.import(name, ComponentTypeRef::Instance(0));
    let mut component = Component::new();
    component.section(&types);
    component.section(&imports);
    with_manifest(&component)
}

fn importing_function(name: &str) -> Vec<u8> {
    let mut types = ComponentTypeSection::new();
    types
        .function()
        .params([] as [(&str, wasm_encoder::ComponentValType); 0])
        .result(None);
    let mut imports = ComponentImportSection::new();
    imports.import(name, ComponentTypeRef::Func(0));
    let mut component = Component::new();
    component.section(&types);
    component.section(&imports);
    with_manifest(&component)
}

fn of_module(module: &Module) -> Vec<u8> {
    let mut component = Component::new();
    component.section(&ModuleSection(module));
    with_manifest(&component)
}

fn many_functions(count: u32) -> Module {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
    for _ in 0..count {
        functions.function(0);
        let mut function = Function::new([]);
        function.instructions().end();
        code.function(&function);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&code);
    module
}

fn many_types(count: u32) -> Module {
    let mut types = TypeSection::new();
    for _ in 0..count {
        types.ty().function([], []);
    }
    let mut module = Module::new();
    module.section(&types);
    module
}

fn one_function(instructions: usize) -> Module {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut function = Function::new([]);
    for _ in 0..instructions {
        function.instructions().nop();
    }
    function.instructions().end();
    let mut code = CodeSection::new();
    code.function(&function);
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&code);
    module
}

fn many_component_types(count: u32) -> Vec<u8> {
    let mut types = ComponentTypeSection::new();
    types.defined_type().primitive(wasm_encoder::PrimitiveValType::U8);
    for index in 0..count {
        types
            .defined_type()
            .tuple([wasm_encoder::ComponentValType::Type(index); 2]);
    }
    let mut component = Component::new();
    component.section(&types);
    with_manifest(&component)
}

fn nested(depth: u32) -> Vec<u8> {
    let mut inner = Component::new();
    for _ in 0..depth {
        let mut outer = Component::new();
        outer.section(&NestedComponentSection(&inner));
        inner = outer;
    }
    with_manifest(&inner)
}

fn many_modules(count: u32) -> Vec<u8> {
    let mut component = Component::new();
    for _ in 0..count {
        component.section(&ModuleSection(&Module::new()));
    }
    with_manifest(&component)
}
