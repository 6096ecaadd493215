//! The kit of a connector's author: cases that run offline in the real sandbox, faults injected
//! into them, the vendor's own specification as a referee, recording from a live account, and measures of how
//! well models can choose tools.
//!
//! Called by the command line alone. It brings up a host of its own on a temporary folder and
//! calls tools the way every edge does; nothing in service depends on it. It never reaches a
//! vendor, and what it writes was cleaned of what is personal first.

pub mod advice;
pub mod case;
mod compare;
pub mod contract;
pub mod evaluation;
mod faults;
pub mod record;
mod replay;
pub mod run;
pub mod scrub;
mod stage;
pub mod suite;
pub mod workshop;

pub use compare::Difference;
pub use faults::Injected;
pub use replay::Finding;
