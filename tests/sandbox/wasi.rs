//! Our inert WASI is to a guest what the reference implementation is with nothing given to it.

use wasmtime::component::{Component, Linker, ResourceTable, Val};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use valetkey_tests::artifacts;

use crate::bench::Bench;

/// What a standard library is told of its system, it is told alike by ours and by a context of
/// `wasmtime-wasi` to which nothing was added.
#[tokio::test]
pub async fn inert() {
    let bench = Bench::new();
    let component = bench.load("inert").await;
    let ours = bench.call(&component, bench.grant(), "run", "{}").await;
    let ours = ours.expect("an answer").data;
    let theirs = by_the_reference(&artifacts::guest("inert"))
        .await
        .expect("an answer");
    assert_eq!(ours, theirs);
    assert!(ours.contains("0 variables, 0 arguments"), "{ours}");
}

/// A context with nothing in it.
struct Empty {
    context: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Empty {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.context,
            table: &mut self.table,
        }
    }
}

async fn by_the_reference(guest: &[u8]) -> wasmtime::Result<String> {
    let engine = Engine::new(&Config::new())?;
    let component = Component::new(&engine, guest)?;
    let mut linker = Linker::<Empty>::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    // The guest uses the contract's types and calls nothing of it.
    linker.instance("valetkey:connector/types@0.1.2")?;
    let empty = Empty {
        context: WasiCtx::builder().build(),
        table: ResourceTable::new(),
    };
    let mut store = Store::new(&engine, empty);
    let instance = linker.instantiate_async(&mut store, &component).await?;
    let tools = instance.get_export_index(&mut store, None, "valetkey:connector/tools@0.1.2");
    let call = instance.get_export_index(&mut store, tools.as_ref(), "call");
    let call = call
        .and_then(|call| instance.get_func(&mut store, call))
        .expect("it exports `call`");
    let fields =
        |fields: [(&str, Val); 5]| Val::Record(fields.map(|(name, value)| (name.to_owned(), value)).into());
    let context = fields([
        ("execution-id", Val::String(String::new())),
        ("declaration", Val::Option(None)),
        ("page-token", Val::Option(None)),
        ("page-size", Val::Option(None)),
        ("ext", Val::List(Vec::new())),
    ]);
    let parameters = [
        context,
        Val::String("run".to_owned()),
        Val::String("{}".to_owned()),
    ];
    let mut results = [Val::Bool(false)];
    call.call_async(&mut store, &parameters, &mut results).await?;
    let [Val::Result(Ok(Some(output)))] = results else {
        panic!("{results:?}")
    };
    let Val::Record(output) = *output else {
        panic!("{output:?}")
    };
    match output.into_iter().next() {
        Some((_, Val::String(data))) => Ok(data),
        other => panic!("{other:?}"),
    }
}
