//! Counts the claims that many processes make in a second. Each gives a claimed stage back at once, so that only the store limits them.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use didact::store::{Access, AttemptEnd, Store, Wanted};

use crate::big_store::worker;
use crate::table;

/// First argument of this program if it acts as a worker.
pub const WORKER: &str = "--claiming-worker";

/// Time during which claims are counted.
const TIME: Duration = Duration::from_secs(3);

/// Time in which all processes start.
const START: Duration = Duration::from_secs(3);

/// Prints the number of claims per second of several numbers of processes.
pub fn measure(store: &str, workers: &[usize]) {
    for &processes in workers {
        let begin = now() + START.as_millis();
        let start = || {
            Command::new(std::env::current_exe().expect("this program"))
                .args([WORKER, store, &begin.to_string()])
                .stdout(Stdio::piped())
                .spawn()
                .expect("starts")
        };
        let children: Vec<_> = (0..processes).map(|_| start()).collect();
        let claims: u64 = children
            .into_iter()
            .map(|child| child.wait_with_output().expect("ends"))
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().parse::<u64>().expect("a number"))
            .sum();
        table::rate(
            &format!("claims a second, each given back, {processes} worker(s)"),
            claims as f64 / TIME.as_secs_f64(),
        );
    }
}

/// Claims stages and gives them back from the moment `begin` on, in milliseconds since 1970, and returns the number of claims.
pub async fn claim(store: &str, begin: &str) -> u64 {
    let store = Store::open(store, Access::Serve).await.expect("opens");
    let (sweep, _) = store.find_sweep(None).await.expect("is there");
    let (wanted, worker) = (Wanted { sweep, only: None }, worker());
    let begin: u128 = begin.parse().expect("a time");
    tokio::time::sleep(Duration::from_millis(begin.saturating_sub(now()) as u64)).await;
    let mut claims = 0;
    while now() < begin + TIME.as_millis() {
        let Some(claim) = store.claim(&wanted, &worker).await.expect("claims") else { continue };
        claims += 1;
        let end = AttemptEnd::Interrupted;
        store.finish(&claim, &worker, &end, 1.0, &BTreeMap::new(), None).await.expect("ends");
    }
    claims
}

fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis()
}
