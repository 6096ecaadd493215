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
    /// Whether the guest asked for more than it may have. Growing answers −1 then; most guests
    /// trap on that themselves.
    pub(super) refused: bool,
}

impl Budget {
    pub(super) fn new(memory_bytes: usize, table_elements: usize, size: Size) -> Self {
        Self {
            memory_left: memory_bytes,
            table_elements_left: table_elements,
            size,
            refused: false,
        }
    }

    fn take(left: &mut usize, refused: &mut bool, more: usize) -> bool {
        match left.checked_sub(more) {
            Some(rest) => {
                *left = rest;
                true
            }
            None => {
                *refused = true;
                false
            }
        }
    }
}

impl ResourceLimiter for Budget {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        Ok(Self::take(&mut self.memory_left, &mut self.refused, more))
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.refused = true;
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        Ok(Self::take(&mut self.table_elements_left, &mut self.refused, more))
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.refused = true;
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
