//! Counts the claims of many processes per second, and the stages that they claim and end. Nothing is computed: only the store limits them.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use didact::store::{Access, AttemptEnd, Claim, Published, Store, Wanted};

use crate::big_store::worker;
use crate::table;

/// First argument of this program if it acts as a worker.
pub const WORKER: &str = "--claiming-worker";

/// Time in which all processes start.
const START: Duration = Duration::from_secs(3);

/// Parts of a round. At first, the processes only claim. Then they end what they hold. Finally they claim and end one stage after another.
const CLAIMING: Duration = Duration::from_millis(500);
const CLEARING: Duration = Duration::from_secs(2);
const WORKING: Duration = Duration::from_secs(2);

/// How long the processes work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length {
    /// Number of rounds of every process.
    pub rounds: u32,
    /// Most stages that a process claims in one part of a round, so that a small store is not used up.
    pub stages: u64,
}

/// Stages of a process before the others are counted. A connection is slow at first.
const WARM_UP: usize = 5;

/// What a process, or several together, did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Number of claims while nothing else was done.
    claims: u64,
    /// Number of stages that were claimed and ended, one after the other.
    stages: u64,
}

/// Prints the numbers of claims, and of stages from claim to end, per second of several numbers of processes.
pub fn measure(store: &str, workers: &[usize], length: Length) {
    let Length { rounds, stages } = length;
    for &processes in workers {
        let begin = now() + START.as_millis();
        let start = || {
            Command::new(std::env::current_exe().expect("this program"))
                .args([WORKER, store, &begin.to_string(), &rounds.to_string(), &stages.to_string()])
                .stdout(Stdio::piped())
                .spawn()
                .expect("starts")
        };
        let children: Vec<_> = (0..processes).map(|_| start()).collect();
        let mut all = Counts::default();
        for child in children {
            let output = child.wait_with_output().expect("ends");
            let Counts { claims, stages } = Counts::read(&String::from_utf8_lossy(&output.stdout));
            all = Counts { claims: all.claims + claims, stages: all.stages + stages };
        }
        let seconds = |part: Duration| (rounds * part).as_secs_f64();
        table::rate(&format!("claims a second, {processes} worker(s)"), all.claims as f64 / seconds(CLAIMING));
        let rate = all.stages as f64 / seconds(WORKING);
        table::rate(&format!("stages a second from claim to stored end, {processes} worker(s)"), rate);
    }
}

impl Counts {
    fn read(text: &str) -> Self {
        let mut numbers = text.split_whitespace().map(|number| number.parse().expect("a number"));
        let mut next = || numbers.next().expect("two numbers");
        Self { claims: next(), stages: next() }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.claims, self.stages)
    }
}

/// Claims and ends stages. Counts from the moment `begin` on, in milliseconds since 1970.
pub async fn claim(store: &str, begin: &str, length: Length) -> Counts {
    let store = Store::open(store, Access::Serve).await.expect("opens");
    let (sweep, _) = store.find_sweep(None).await.expect("is there");
    let (wanted, worker) = (Wanted { sweep, only: None }, worker());
    let claim = async || store.claim(&wanted, &worker).await.expect("claims");
    let end = async |claim: Claim| {
        let end = AttemptEnd::Done(Published { bytes: 0, digest: String::new() });
        assert!(store.finish(&claim, &worker, &end, 1.0, &BTreeMap::new(), None).await.expect("ends"));
    };
    for _ in 0..WARM_UP {
        if let Some(claim) = claim().await {
            end(claim).await;
        }
    }
    let mut counts = Counts::default();
    let mut part = begin.parse().expect("a time");
    for _ in 0..length.rounds {
        wait_until(part).await;
        part += CLAIMING.as_millis();
        let mut held = Vec::new();
        while now() < part && (held.len() as u64) < length.stages {
            held.extend(claim().await);
        }
        counts.claims += held.len() as u64;
        part += CLEARING.as_millis();
        for claim in held {
            end(claim).await;
        }
        assert!(now() < part, "too slow to end the claimed stages in time");
        wait_until(part).await;
        part += WORKING.as_millis();
        let mut ended = 0;
        while now() < part && ended < length.stages {
            if let Some(claim) = claim().await {
                end(claim).await;
                ended += 1;
            }
        }
        counts.stages += ended;
    }
    counts
}

async fn wait_until(moment: u128) {
    tokio::time::sleep(Duration::from_millis(moment.saturating_sub(now()) as u64)).await;
}

fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis()
}
