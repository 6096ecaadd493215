//! The engines: one function decides how code is compiled, for the compiler and for the executor
//! alike, so that an artifact of the one is always accepted by the other.
//!
//! Two of each: small components, whose instances cost microseconds, and components that bring
//! a language runtime, with roomier limits and fewer instances.

use std::hash::{Hash as _, Hasher as _};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::Semaphore;
use wasmtime::component::Linker;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Strategy, WasmFeatures,
};

use valetkey_manifest::GuestRuntime;

use crate::config;

use super::guest::Guest;
use super::wasi;

/// How often a computing guest is looked at.
pub(super) const TICK: Duration = Duration::from_millis(10);

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// What a guest may be written with: WebAssembly 2.0 and what today's compilers emit by default.
/// Everything else is off, in the validator and in the engines.
pub(super) fn allowed_features() -> WasmFeatures {
    // `externref` and its like need a collector, which this wasmtime is built without.
    (WasmFeatures::WASM2 | WasmFeatures::EXTENDED_CONST | WasmFeatures::COMPONENT_MODEL)
        .difference(WasmFeatures::GC_TYPES)
}

/// Which engine runs a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Profile {
    /// Small components.
    Ordinary,
    /// Components with a language runtime inside.
    LargeRuntime,
}

impl Profile {
    /// The profile of a guest of this sort.
    pub(super) fn of(runtime: GuestRuntime) -> Self {
        match runtime {
            GuestRuntime::Rust => Self::Ordinary,
            GuestRuntime::Javascript | GuestRuntime::Python => Self::LargeRuntime,
        }
    }

    /// Its name on the compiler's command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::LargeRuntime => "large-runtime",
        }
    }

    /// What one component may be made of.
    pub(super) fn size(self) -> Size {
        match self {
            Self::Ordinary => Size {
                core_instances: 16,
                memories: 2,
                tables: 16,
                functions: 20_000,
                types: 20_000,
            },
            Self::LargeRuntime => Size {
                core_instances: 64,
                memories: 8,
                tables: 64,
                functions: 45_000,
                types: 50_000,
            },
        }
    }

    fn instances(self, settings: &config::Sandbox) -> u32 {
        match self {
            Self::Ordinary => settings.max_instances.max(2),
            Self::LargeRuntime => (settings.max_instances / 4).max(2),
        }
    }

    /// Table elements of an instance: language runtimes have big function tables whatever a
    /// connector does.
    pub(super) fn table_elements(self, wanted: usize) -> usize {
        match self {
            Self::Ordinary => wanted,
            Self::LargeRuntime => wanted.max(100_000),
        }
    }
}

/// What one component may be made of. The pools hold as much for every instance, so that none
/// can take another's share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    /// Core module instances.
    pub core_instances: u32,
    /// Linear memories.
    pub memories: u32,
    /// Tables.
    pub tables: u32,
    /// Functions in all modules.
    pub functions: u32,
    /// Types in all modules and nested components.
    pub types: u32,
}

/// How code is compiled and run. Compiler and executor differ in the allocator alone, which does
/// not reach into the code.
fn config() -> Config {
    let mut config = Config::new();
    config.strategy(Strategy::Cranelift);
    config.wasm_features(allowed_features().complement(), false);
    config.wasm_features(allowed_features(), true);
    // For wasmtime's own modules between the parts of a composed component, which reach into the
    // memory of both. What a guest brings may not use it: the validator refuses that.
    config.wasm_multi_memory(true);
    config.concurrency_support(false);
    config.epoch_interruption(true);
    config.consume_fuel(false);
    config.memory_init_cow(true);
    config.max_wasm_stack(512 * KIB);
    config.async_stack_size(MIB);
    config.parallel_compilation(true);
    config
}

/// An engine that compiles and never runs anything.
pub(super) fn compiling() -> anyhow::Result<Engine> {
    Engine::new(&config()).map_err(|error| anyhow::anyhow!("the compiler cannot be set up: {error:#}"))
}

/// Names the code that this host's engines accept: wasmtime's version, every setting that shapes
/// code, and the processor's features.
pub(super) fn code_hash(engine: &Engine) -> String {
    // Keys are fixed: the hash names files that the next start looks for.
    #[allow(
        deprecated,
        reason = "the one hasher of std that is the same in every process"
    )]
    let mut hasher = std::hash::SipHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// One engine with all that its components share.
pub(super) struct Lane {
    pub(super) profile: Profile,
    pub(super) engine: Engine,
    pub(super) linker: Linker<Guest>,
    /// A slot for each instance that may live at once: fewer than the pool has, because a full
    /// pool is an error and not a wait.
    pub(super) slots: Semaphore,
    pub(super) slots_total: u32,
}

impl Lane {
    fn new(profile: Profile, settings: &config::Sandbox) -> anyhow::Result<Self> {
        let engine = executing(profile, settings)?;
        let mut linker = Linker::new(&engine);
        link(&mut linker)
            .map_err(|error| anyhow::anyhow!("the host's functions cannot be linked: {error:#}"))?;
        let slots_total = (profile.instances(settings) * 9 / 10).max(1);
        Ok(Self {
            profile,
            engine,
            linker,
            slots: Semaphore::new(slots_total as usize),
            slots_total,
        })
    }
}

/// All that a component may import.
fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    use wasmtime::component::HasSelf;

    use crate::capability::bindings::Connector;
    use crate::capability::bindings::authorizer::valetkey::connector::token_endpoint;
    use crate::capability::session::Session;

    Connector::add_to_linker::<Guest, HasSelf<Session>>(linker, |guest| &mut guest.session)?;
    token_endpoint::add_to_linker::<Guest, HasSelf<Session>>(linker, |guest| &mut guest.session)?;
    wasi::add_to_linker(linker)
}

fn executing(profile: Profile, settings: &config::Sandbox) -> anyhow::Result<Engine> {
    let mut pooled = config();
    pooled.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(profile, settings)));
    match Engine::new(&pooled) {
        Ok(engine) => Ok(engine),
        Err(error) => {
            tracing::warn!(
                profile = profile.name(),
                error = format!("{error:#}"),
                "the address space for the instance pool cannot be reserved; instances are allocated one by one, \
                 which makes calls slower (is there a limit on virtual memory?)"
            );
            Engine::new(&config())
                .map_err(|error| anyhow::anyhow!("{error:#}"))
                .context("the engine cannot be set up")
        }
    }
}

fn pool(profile: Profile, settings: &config::Sandbox) -> PoolingAllocationConfig {
    let instances = profile.instances(settings);
    let size = profile.size();
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_stacks(instances)
        .total_core_instances(instances * size.core_instances)
        .total_memories(instances * size.memories)
        .total_tables(instances * size.tables)
        .max_core_instances_per_component(size.core_instances)
        .max_memories_per_component(size.memories)
        .max_tables_per_component(size.tables)
        .max_memories_per_module(1)
        .max_tables_per_module(size.tables.min(8))
        .max_memory_size(settings.max_memory_bytes)
        .table_elements(profile.table_elements(settings.table_elements))
        .table_keep_resident(16 * KIB);
    if has_safe_pagemap_scan() {
        pool.pagemap_scan(Enabled::Auto)
            .linear_memory_keep_resident(2 * MIB);
    } else {
        pool.pagemap_scan(Enabled::No)
            .linear_memory_keep_resident(256 * KIB);
    }
    pool
}

/// Whether the kernel can say which pages a guest dirtied (Linux 6.7), and nothing is ever
/// swapped: wasmtime 48 asks for pages that are present, so a dirty page that was swapped out
/// would reach the slot's next instance (wasmtime issue 14357).
fn has_safe_pagemap_scan() -> bool {
    PoolingAllocationConfig::is_pagemap_scan_available() && !may_swap()
}

fn may_swap() -> bool {
    // One heading line; each further line is a swap area.
    match std::fs::read_to_string("/proc/swaps") {
        Ok(areas) if areas.lines().count() <= 1 => false,
        _ => !cgroup_forbids_swap(),
    }
}

fn cgroup_forbids_swap() -> bool {
    let Ok(groups) = std::fs::read_to_string("/proc/self/cgroup") else {
        return false;
    };
    groups
        .lines()
        .find_map(|line| line.strip_prefix("0::/"))
        .and_then(|group| std::fs::read_to_string(format!("/sys/fs/cgroup/{group}/memory.swap.max")).ok())
        .is_some_and(|limit| limit.trim() == "0")
}

/// The engines of a host.
pub(super) struct Engines {
    settings: config::Sandbox,
    ordinary: Arc<Lane>,
    /// Set up with the first component that needs it: its pool is not free.
    large_runtime: OnceLock<Arc<Lane>>,
}

impl Engines {
    pub(super) fn new(settings: &config::Sandbox) -> anyhow::Result<Arc<Self>> {
        let engines = Arc::new(Self {
            settings: settings.clone(),
            ordinary: Arc::new(Lane::new(Profile::Ordinary, settings)?),
            large_runtime: OnceLock::new(),
        });
        let watched = Arc::downgrade(&engines);
        std::thread::Builder::new()
            .name("epoch".to_owned())
            .spawn(move || tick(&watched))
            .context("the thread that interrupts guests cannot be started")?;
        Ok(engines)
    }

    pub(super) fn lane(&self, profile: Profile) -> anyhow::Result<Arc<Lane>> {
        match profile {
            Profile::Ordinary => Ok(Arc::clone(&self.ordinary)),
            Profile::LargeRuntime => {
                if let Some(lane) = self.large_runtime.get() {
                    return Ok(Arc::clone(lane));
                }
                let lane = Arc::new(Lane::new(profile, &self.settings)?);
                Ok(Arc::clone(self.large_runtime.get_or_init(|| lane)))
            }
        }
    }

    fn lanes(&self) -> impl Iterator<Item = &Arc<Lane>> {
        std::iter::once(&self.ordinary).chain(self.large_runtime.get())
    }

    pub(super) fn live_instances(&self) -> u32 {
        self.lanes()
            .map(|lane| {
                let free = u32::try_from(lane.slots.available_permits()).unwrap_or(u32::MAX);
                lane.slots_total.saturating_sub(free)
            })
            .sum()
    }
}

/// Interrupts computing guests, until the engines are gone.
fn tick(engines: &Weak<Engines>) {
    loop {
        std::thread::sleep(TICK);
        let Some(engines) = engines.upgrade() else {
            return;
        };
        for lane in engines.lanes() {
            lane.engine.increment_epoch();
        }
    }
}
