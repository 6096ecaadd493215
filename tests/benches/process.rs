//! Processes beside the bench: started on one core, watched through `/proc`, ended with it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// A process that ends with this value.
pub struct Process {
    child: Child,
    name: String,
}

impl Process {
    /// Starts `command` on one core (`taskset`), its output thrown away.
    pub fn start(core: usize, command: &[&str]) -> anyhow::Result<Self> {
        let child = Command::new("taskset")
            .args(["-c", &core.to_string()])
            .args(command)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{} cannot be started", command[0]))?;
        Ok(Self {
            child,
            name: command[0].to_owned(),
        })
    }

    /// Waits until it accepts connections.
    pub fn wait_for_port(&mut self, port: u16) -> anyhow::Result<()> {
        let until = Instant::now() + Duration::from_secs(60);
        while Instant::now() < until {
            #[allow(
                clippy::disallowed_methods,
                reason = "the bench looks whether a process listens"
            )]
            let connected = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
            if connected.is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended before it listened: {status}", self.name);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        bail!("{} does not listen on port {port}", self.name)
    }

    /// CPU time of it and its children so far, in microseconds.
    pub fn cpu_us(&self) -> anyhow::Result<f64> {
        let mut total = 0.0;
        for pid in family(self.child.id())? {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
            let after_name = stat.rsplit_once(')').context("a stat line")?.1;
            let fields: Vec<&str> = after_name.split_whitespace().collect();
            let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
            total += ticks * 10_000.0;
        }
        Ok(total)
    }

    /// Resident memory of it and its children, in bytes.
    pub fn resident_bytes(&self) -> anyhow::Result<f64> {
        let mut total = 0.0;
        for pid in family(self.child.id())? {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("VmRSS:"))
                .context("VmRSS")?;
            total += line.trim().trim_end_matches(" kB").parse::<f64>()? * 1024.0;
        }
        Ok(total)
    }

    /// Asks it to end and waits.
    pub fn stop(mut self) -> anyhow::Result<()> {
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process and its children: nginx works in one.
fn family(pid: u32) -> anyhow::Result<Vec<u32>> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    let mut all = vec![pid];
    for child in children.split_whitespace() {
        all.extend(family(child.parse()?)?);
    }
    Ok(all)
}

/// CPU time of the calling thread so far, in microseconds; the kernel counts it in nanoseconds.
pub fn thread_cpu_us() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let on_cpu = stat.split(' ').next().and_then(|ns| ns.parse::<f64>().ok());
    on_cpu.map_or(f64::NAN, |ns| ns / 1e3)
}

/// A port that was free a moment ago.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// The `valetkey` binary to measure: of the same profile as this bench.
pub fn binary() -> anyhow::Result<PathBuf> {
    let bench = std::env::current_exe()?;
    let profile = bench
        .ancestors()
        .nth(2)
        .context("the bench lies in a profile folder")?;
    let binary = profile.join("valetkey");
    if !binary.exists() {
        bail!("{} is missing; run tests/benches/run", binary.display());
    }
    Ok(binary)
}
