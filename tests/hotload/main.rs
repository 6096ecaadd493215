//! Connectors come and go while calls run: no call is lost, each sees exactly one version, and
//! what is refused changes nothing.

mod folder;
mod lifecycle;
mod stage;
mod swaps;
