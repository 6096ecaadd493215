//! A process that writes to a store until it is killed, and says on its standard output what was
//! acknowledged. Arguments: the folder, then the last operation of each lane.

#[path = "workload.rs"]
#[allow(dead_code, reason = "the checking half is the killer's")]
mod workload;

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use valetkey::store::Store;
use valetkey::store::sled::SledStore;

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // One write, so that a kill cuts no line in two; a reader that has gone ends the work.
    if out.write_all(line.as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(1);
    }
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let folder = PathBuf::from(arguments.next().expect("the folder"));
    let mut done = [0; workload::LANES];
    for (lane, argument) in done.iter_mut().zip(arguments) {
        *lane = argument
            .to_str()
            .and_then(|text| text.parse().ok())
            .expect("a number");
    }

    say("opening\n");
    let store: Arc<dyn Store> = Arc::new(SledStore::open(&folder).expect("the store opens"));
    let acknowledged = |lane, number| say(&format!("{lane} {number}\n"));
    workload::run_lanes(store, done, 3000, acknowledged).await;
}
