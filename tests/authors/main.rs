//! The kit of a connector's author: the SDKs of every language, cases run offline, faults injected,
//! calls recorded, folders reloaded.

mod acme;
mod building;
mod bundled;
mod catalog;
mod dev;
mod evaluation;
mod import;
mod imported;
mod languages;
mod new;
mod packages;
mod recording;
mod runner;
mod vendor;
