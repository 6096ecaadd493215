//! The kit of a connector's author: cases run offline, faults injected, calls recorded, folders
//! reloaded.

mod acme;
mod bundled;
mod dev;
mod import;
mod imported;
mod recording;
mod runner;
