//! A stack of local processes: its supervisor, watched on a runtime of its own, and what cleans up after it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::runtime::Runtime;

use crate::guard::Guard;
use crate::options::Options;
use crate::supervisor::{Report, Supervisor};

pub(crate) struct Own {
    pub supervisor: Arc<Supervisor>,
    runtime: Option<Runtime>,
    pub guard: Option<Guard>,
    pub temporary: Option<tempfile::TempDir>,
}

impl Own {
    pub async fn prepare(options: Options, report: Report) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("trestle")
            .enable_all()
            .build()
            .context("the stack's runtime")?;
        let prepared = runtime.spawn(Supervisor::prepare(options, report)).await;
        match prepared.context("the stack's start was cut off").flatten() {
            Ok(supervisor) => Ok(Self {
                supervisor: Arc::new(supervisor),
                runtime: Some(runtime),
                guard: None,
                temporary: None,
            }),
            Err(error) => {
                // A runtime must not be dropped inside another one.
                runtime.shutdown_background();
                Err(error)
            }
        }
    }

    /// Runs the work on the stack's runtime, where its processes are watched; the caller may run on any other.
    pub async fn run<T, F>(&self, work: impl FnOnce(Arc<Supervisor>) -> F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let runtime = self.runtime.as_ref().context("the stack has ended")?;
        runtime
            .spawn(work(Arc::clone(&self.supervisor)))
            .await
            .context("the stack's work was cut off")?
    }

    /// Waits for the end of what the runtime still does.
    pub async fn end_runtime(&mut self) -> Result<()> {
        if let Some(runtime) = self.runtime.take() {
            let ended = tokio::task::spawn_blocking(move || runtime.shutdown_timeout(Duration::from_secs(5)));
            ended.await.context("ending the stack's runtime")?;
        }
        Ok(())
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.supervisor.kill_all();
        if let Some(runtime) = self.runtime.take() {
            // Not waited for: this may be inside another runtime. What is left of the children dies with its tasks.
            runtime.shutdown_background();
        }
        // The guard looks after what a kill did not reach in time, then removes a temporary folder.
        if let (Some(guard), Some(temporary)) = (self.guard.take(), self.temporary.take()) {
            let _ = temporary.keep();
            drop(guard);
        }
    }
}
