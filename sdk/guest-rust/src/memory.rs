//! The component's allocator: it hands out memory front to back and hardly ever takes it back,
//! because an instance lives for one call. The first mebibyte is part of the initial memory, so
//! that an ordinary call never grows it (growing is a system call in the host).

#![allow(
    unsafe_code,
    reason = "an allocator deals in raw memory; this one runs in a single-threaded sandbox that ends with the call"
)]

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32;
use core::cell::{Cell, UnsafeCell};
use core::ptr;

/// Bytes of the initial memory that are handed out before memory is grown.
const FIRST: usize = 1 << 20;
/// Least number of WebAssembly pages (64 KiB) to grow by.
const GROWTH_PAGES: usize = 16;
const PAGE_BYTES: usize = 1 << 16;

#[repr(align(16))]
struct Arena(UnsafeCell<[u8; FIRST]>);

// SAFETY: a component has one thread.
unsafe impl Sync for Arena {}

static ARENA: Arena = Arena(UnsafeCell::new([0; FIRST]));

struct Bump {
    /// The first free byte; 0 before the first allocation.
    next: Cell<usize>,
    /// The end of the free bytes.
    end: Cell<usize>,
}

// SAFETY: a component has one thread.
unsafe impl Sync for Bump {}

#[global_allocator]
static BUMP: Bump = Bump {
    next: Cell::new(0),
    end: Cell::new(0),
};

impl Bump {
    /// Makes room for `size` bytes from `start` on, or says where else they fit.
    fn reserve(&self, start: usize, size: usize, align: usize) -> Option<usize> {
        if self.next.get() == 0 {
            let first = ARENA.0.get() as usize;
            self.end.set(first + FIRST);
            return self.reserve_from(first.next_multiple_of(align), size, align);
        }
        self.reserve_from(start, size, align)
    }

    fn reserve_from(&self, start: usize, size: usize, align: usize) -> Option<usize> {
        let needed = start.checked_add(size)?;
        if needed <= self.end.get() {
            self.next.set(needed);
            return Some(start);
        }
        let pages = (size + align).div_ceil(PAGE_BYTES).max(GROWTH_PAGES);
        let before = wasm32::memory_grow::<0>(pages);
        if before == usize::MAX {
            return None;
        }
        let fresh = before * PAGE_BYTES;
        let adjoining = fresh == self.end.get();
        self.end.set(fresh + pages * PAGE_BYTES);
        let start = if adjoining {
            start
        } else {
            fresh.next_multiple_of(align)
        };
        self.next.set(start + size);
        Some(start)
    }
}

// SAFETY: blocks are disjoint (`next` only moves past what was handed out, and back only over the
// last block when that is freed), aligned, and within memory that exists.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = self.next.get().next_multiple_of(layout.align());
        match self.reserve(start, layout.size(), layout.align()) {
            Some(start) => start as *mut u8,
            None => ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if block as usize + layout.size() == self.next.get() {
            self.next.set(block as usize);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let start = block as usize;
        if start + layout.size() == self.next.get() {
            // The last block grows or shrinks where it is, unless grown memory lies elsewhere.
            match self.reserve(start, new_size, layout.align()) {
                Some(place) if place == start => return block,
                Some(place) => {
                    // SAFETY: the new block is fresh memory of at least the old size.
                    unsafe { ptr::copy_nonoverlapping(block, place as *mut u8, layout.size().min(new_size)) };
                    return place as *mut u8;
                }
                None => return ptr::null_mut(),
            }
        }
        if new_size <= layout.size() {
            return block;
        }
        // SAFETY: the alignment is unchanged and the size is not zero.
        let place = unsafe { self.alloc(Layout::from_size_align_unchecked(new_size, layout.align())) };
        if !place.is_null() {
            // SAFETY: both blocks are at least `layout.size()` long and disjoint.
            unsafe { ptr::copy_nonoverlapping(block, place, layout.size()) };
        }
        place
    }
}
