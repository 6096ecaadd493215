//! The watched folder: `.wasm` files are installed as they appear or change; a file that is
//! refused is reported with its reason and the last good version goes on serving.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::Registry;

/// Watches `dir` until `stop` is cancelled. Files present at the start are installed first.
pub async fn run(_registry: Arc<Registry>, _dir: PathBuf, _stop: CancellationToken) {
    todo!()
}
