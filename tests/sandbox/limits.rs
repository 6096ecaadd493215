//! What a component may be made of and grow to. Each of these is the guest `echo` with a core
//! module more, which wants too much of one thing; others are served meanwhile.

use std::sync::Arc;

use wasm_encoder::{
    BlockType, CodeSection, Component, Function, FunctionSection, HeapType, InstanceSection, MemorySection,
    MemoryType, Module, ModuleSection, RefType, StartSection, TableSection, TableType, TypeSection,
};

use valetkey::config;
use valetkey::error::{Fault, Kind};
use valetkey::sandbox::LoadError;
use valetkey_tests::artifacts;

use crate::bench::Bench;

#[tokio::test]
async fn parts_are_counted_with_every_instance_of_their_module() {
    let bench = Bench::new();
    let small = module(1, 100, 0, &[]);
    bench.serves(&echo_and(&small, 1)).await;
    for (what, module, instances) in [
        ("linear memories", module(1, 0, 0, &[]), 8),
        ("core module instances", module(0, 0, 0, &[]), 64),
        ("tables", module(0, 1, 1, &[]), 8),
        // As many as one module may have, in three of them.
        ("table", module(0, 1, 7, &[]), 3),
        ("table", module(0, 1, 8, &[]), 1),
        ("minimum element size", module(0, 10_001, 0, &[]), 1),
        ("minimum", module(4_097, 0, 0, &[]), 1),
    ] {
        let refused = bench.refused(&echo_and(&module, instances)).await;
        assert!(refused.contains(what), "{instances} of it: {refused}");
    }
    // More declared than any component may have is refused before it is compiled.
    match bench.sandbox.inspect(&echo_and(&module(0, 1, 63, &[]), 1)) {
        Err(LoadError::TooComplex(said)) => assert!(said.contains("tables"), "{said}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn tables_and_memories_of_all_instances_grow_within_one_limit() {
    let bench = Bench::new();
    let tables = echo_and(&module(0, 1, 0, &[Grow::Table]), 1);
    bench.is_stopped(&tables, "tables").await;
    // Two that share: each alone would stay below the limit.
    bench
        .is_stopped(&echo_and(&module(0, 6_000, 0, &[]), 2), "tables")
        .await;
    bench.serves(&echo_and(&module(0, 6_000, 0, &[]), 1)).await;

    let memory = echo_and(&module(1, 0, 0, &[Grow::Memory]), 1);
    bench.is_stopped(&memory, "memory").await;
    // All that a call may have, beside the memory of `echo` itself.
    bench
        .is_stopped(&echo_and(&module(1_024, 0, 0, &[]), 1), "memory")
        .await;
}

#[tokio::test]
async fn a_calls_own_limit_holds_below_that_of_the_pool() {
    let bench = Bench::with(config::Sandbox {
        max_instances: 8,
        memory_bytes: 2 * 1024 * 1024,
        ..config::Sandbox::default()
    });
    bench
        .is_stopped(&echo_and(&module(32, 0, 0, &[]), 1), "memory")
        .await;
}

impl Bench {
    async fn serves(&self, component: &[u8]) {
        let component = self.load_bytes(component.to_vec()).await;
        let answer = self.call(&component, self.grant(), "run", "{\"a\":1}").await;
        assert_eq!(answer.expect("an answer").data, "{\"a\":1}");
    }

    /// Loads it, which is refused; answers why.
    async fn refused(&self, component: &[u8]) -> String {
        let inspection = self.sandbox.inspect(component).expect("each part alone is small");
        let bytes: Arc<[u8]> = component.into();
        let Err(error) = self.sandbox.compile(bytes, &inspection).await else {
            panic!("it was loaded")
        };
        self.serves(&artifacts::guest("echo")).await;
        error.to_string()
    }

    /// Calls it, which stops at a limit, while an honest guest is served.
    async fn is_stopped(&self, component: &[u8], reason: &str) {
        let greedy = self.load_bytes(component.to_vec()).await;
        let honest = self.load("echo").await;
        let (stopped, served): (Fault, _) = tokio::join!(
            self.fault(&greedy, self.grant(), "run", "{}"),
            self.call(&honest, self.grant(), "run", "{}")
        );
        assert_eq!(
            (stopped.kind(), stopped.reason_code()),
            (Kind::ConnectorLimit, Some(reason)),
            "{stopped:?}"
        );
        served.expect("the others are served");
        assert_eq!(self.sandbox.live_instances(), 0);
    }
}

/// What a module does when it is instantiated.
#[derive(Clone, Copy)]
enum Grow {
    Table,
    Memory,
}

/// A module with a memory of so many pages (0 for none), a table of so many elements (0 for
/// none) and further tables of one; its start function grows until it may not, and traps.
fn module(pages: u64, elements: u64, more_tables: u32, start: &[Grow]) -> Module {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    for grow in start {
        functions.function(0);
        let mut function = Function::new([]);
        let mut body = function.instructions();
        body.loop_(BlockType::Empty);
        match grow {
            Grow::Table => body.ref_null(HeapType::FUNC).i32_const(100).table_grow(0),
            Grow::Memory => body.i32_const(16).memory_grow(0),
        };
        body.i32_const(-1).i32_ne().br_if(0).end().unreachable().end();
        code.function(&function);
    }
    let mut tables = TableSection::new();
    let table = |minimum| TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum,
        maximum: None,
        shared: false,
    };
    if elements > 0 {
        tables.table(table(elements));
    }
    for _ in 0..more_tables {
        tables.table(table(1));
    }
    let mut memories = MemorySection::new();
    if pages > 0 {
        memories.memory(MemoryType {
            minimum: pages,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
    }
    let mut module = Module::new();
    module
        .section(&types)
        .section(&functions)
        .section(&tables)
        .section(&memories);
    if !start.is_empty() {
        module.section(&StartSection { function_index: 0 });
    }
    module.section(&code);
    module
}

/// The guest `echo` with `module` besides, instantiated so many times.
fn echo_and(module: &Module, instances: usize) -> Vec<u8> {
    let mut bytes = artifacts::guest("echo");
    let index = core_modules(&bytes);
    let mut more = Component::new();
    more.section(&ModuleSection(module));
    let mut section = InstanceSection::new();
    for _ in 0..instances {
        section.instantiate(index, std::iter::empty::<(&str, wasm_encoder::ModuleArg)>());
    }
    more.section(&section);
    // A component is a header and sections in any order.
    bytes.extend_from_slice(&more.finish()[8..]);
    bytes
}

/// How many core modules a component has so far: its sections of that kind.
fn core_modules(component: &[u8]) -> u32 {
    const CORE_MODULE: u8 = 1;
    let mut count = 0;
    let mut rest = &component[8..];
    while let Some((id, after)) = rest.split_first() {
        count += u32::from(*id == CORE_MODULE);
        let (mut size, mut shift, mut at) = (0, 0, 0);
        loop {
            let byte = after[at];
            size |= usize::from(byte & 0x7f) << shift;
            (shift, at) = (shift + 7, at + 1);
            if byte & 0x80 == 0 {
                break;
            }
        }
        rest = &after[at + size..];
    }
    count
}
