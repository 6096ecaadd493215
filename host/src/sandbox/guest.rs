//! What a store holds for its one call: the capabilities' session and the memory budget.

use wasmtime::ResourceLimiter;

use crate::capability::session::Session;

use super::engine::Size;

/// The data of a store.
pub(super) struct Guest {
    pub(super) session: Session,
    pub(super) budget: Budget,
}

/// Memory and tables of all instances of a call together.
pub(super) struct Budget {
    memory_left: usize,
    table_elements_left: usize,
    size: Size,
    /// What the guest asked for more of than it may have. Growing answers −1 then; most guests
    /// trap on that themselves.
    pub(super) refused: Option<Refused>,
}

/// What a guest had used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Linear memory.
    Memory,
    /// Table elements.
    Tables,
}

impl Budget {
    pub(super) fn new(memory_bytes: usize, table_elements: usize, size: Size) -> Self {
        Self {
            memory_left: memory_bytes,
            table_elements_left: table_elements,
            size,
            refused: None,
        }
    }

    /// Whether there were `more` left, which are taken then.
    fn take(left: &mut usize, more: usize) -> bool {
        let rest = left.checked_sub(more);
        *left = rest.unwrap_or(*left);
        rest.is_some()
    }
}

impl ResourceLimiter for Budget {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let granted = Self::take(&mut self.memory_left, desired.saturating_sub(current));
        if !granted {
            self.refused = Some(Refused::Memory);
        }
        Ok(granted)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.refused = Some(Refused::Memory);
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let granted = Self::take(&mut self.table_elements_left, desired.saturating_sub(current));
        if !granted {
            self.refused = Some(Refused::Tables);
        }
        Ok(granted)
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.refused = Some(Refused::Tables);
        Ok(())
    }

    fn instances(&self) -> usize {
        self.size.core_instances as usize
    }

    fn memories(&self) -> usize {
        self.size.memories as usize
    }

    fn tables(&self) -> usize {
        self.size.tables as usize
    }
}
