//! Reads the store for all requests, one question at a time. What was just read is not read again, so many readers cost as little as one.

use std::collections::HashMap;
use std::convert::Infallible;
use std::hash::Hash;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::live_run::LiveRun;
use super::live_sweep::LiveSweep;
use crate::cause::one_line;
use crate::serve::reopening::Reopening;
use crate::store::{Artifacts, ListedRun, ListedSweep, RunFilter, StoreError};

/// Age up to which an answer counts as new.
const FRESH: Duration = Duration::from_secs(1);
/// An answer also counts as new for this many times as long as reading it took. A large store is read less often, so that pages never
/// take more than a fiftieth of a core.
const SHARE: u32 = 50;
/// A question that took longer is answered with what is known, and then read again.
const QUICK: Duration = Duration::from_millis(100);
/// Age from which an answer is too old to be shown.
const OLD: Duration = Duration::from_secs(60);
/// Maximum number of answers of one kind that are kept.
const KEPT: usize = 32;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The store has nothing of this name.
    Unknown(String),
    /// The store cannot be read now.
    Away(String),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        let text = one_line(&error.to_string());
        if error.is_unknown_name() { Self::Unknown(text) } else { Self::Away(text) }
    }
}

/// A page of a sweep's runs.
#[derive(Debug, PartialEq)]
pub(super) struct RunList {
    /// Number of all runs that the filter keeps.
    pub all: i64,
    pub runs: Vec<ListedRun>,
}

type Reply<T> = oneshot::Sender<Result<Arc<T>, Trouble>>;

/// A question about the store. Sweeps are named, or given by their key.
enum Question {
    Sweeps(Reply<Vec<ListedSweep>>),
    Sweep(String, Reply<LiveSweep>),
    Runs((String, RunFilter), Reply<RunList>),
    Run((String, String), Reply<LiveRun>),
}

/// Asks the reader. Copies ask the same reader.
#[derive(Debug, Clone)]
pub(super) struct Questions(mpsc::Sender<Question>);

impl Questions {
    /// Returns all sweeps.
    pub(super) async fn sweeps(&self) -> Result<Arc<Vec<ListedSweep>>, Trouble> {
        self.ask(Question::Sweeps).await
    }

    /// Returns the progress of a sweep.
    pub(super) async fn sweep(&self, name: &str) -> Result<Arc<LiveSweep>, Trouble> {
        self.ask(|reply| Question::Sweep(name.to_owned(), reply)).await
    }

    /// Returns a page of a sweep's runs.
    pub(super) async fn runs(&self, sweep: &str, filter: RunFilter) -> Result<Arc<RunList>, Trouble> {
        self.ask(|reply| Question::Runs((sweep.to_owned(), filter), reply)).await
    }

    /// Returns a run by the first digits of its key.
    pub(super) async fn run(&self, sweep: &str, key: &str) -> Result<Arc<LiveRun>, Trouble> {
        self.ask(|reply| Question::Run((sweep.to_owned(), key.to_owned()), reply)).await
    }

    async fn ask<T>(&self, question: impl FnOnce(Reply<T>) -> Question) -> Result<Arc<T>, Trouble> {
        let ended = || Trouble::Away("the server is stopping".to_owned());
        let (reply, answer) = oneshot::channel();
        self.0.send(question(reply)).await.map_err(|_| ended())?;
        answer.await.unwrap_or_else(|_| Err(ended()))
    }
}

/// The reader of the store.
pub(super) struct Reader {
    store: Reopening,
    artifacts: Artifacts,
    questions: mpsc::Receiver<Question>,
    sweeps: Answers<(), Vec<ListedSweep>>,
    progress: Answers<String, LiveSweep>,
    lists: Answers<(String, RunFilter), RunList>,
    runs: Answers<(String, String), LiveRun>,
}

impl Reader {
    /// Opens a store.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) async fn open(store: &str, artifacts: Artifacts) -> Result<(Self, Questions), StoreError> {
        let (sender, questions) = mpsc::channel(64);
        let store = Reopening::open(store).await?;
        let reader = Self {
            store,
            artifacts,
            questions,
            sweeps: Answers::default(),
            progress: Answers::default(),
            lists: Answers::default(),
            runs: Answers::default(),
        };
        Ok((reader, Questions(sender)))
    }

    /// Answers questions until the future is dropped.
    pub(super) async fn run(mut self) -> Infallible {
        loop {
            let Some(question) = self.questions.recv().await else {
                // Nobody can ask any more; the server is about to end.
                std::future::pending().await
            };
            let (store, artifacts) = (&mut self.store, &self.artifacts);
            match question {
                Question::Sweeps(reply) => {
                    self.sweeps.answer((), reply, async |()| store.read(async |store| store.list().await).await).await;
                }
                Question::Sweep(name, reply) => {
                    let read = async |name: String| {
                        store.read(async |store| LiveSweep::read(store, &name, artifacts).await).await
                    };
                    self.progress.answer(name, reply, read).await;
                }
                Question::Runs(of, reply) => {
                    let read = async |(sweep, filter): (String, RunFilter)| {
                        let list = async |store: &crate::store::Store| {
                            let (sweep, _) = store.find_sweep(Some(&sweep)).await?;
                            let (all, runs) = store.listed_runs(&sweep, &filter).await?;
                            Ok(RunList { all, runs })
                        };
                        store.read(list).await
                    };
                    self.lists.answer(of, reply, read).await;
                }
                Question::Run(of, reply) => {
                    let read = async |(sweep, key): (String, String)| {
                        store.read(async |store| LiveRun::read(store, &sweep, &key, artifacts).await).await
                    };
                    self.runs.answer(of, reply, read).await;
                }
            }
        }
    }
}

/// The last answers to one kind of question.
struct Answers<K, T>(HashMap<K, Answer<T>>);

/// An answer, when it was read, and how long that took.
struct Answer<T> {
    value: Arc<T>,
    at: Instant,
    took: Duration,
}

impl<T> Answer<T> {
    fn is_fresh(&self) -> bool {
        self.at.elapsed() < FRESH.max(self.took * SHARE)
    }
}

impl<K, T> Default for Answers<K, T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq + Clone, T> Answers<K, T> {
    /// Answers a question with what is known or with what `read` finds.
    async fn answer(&mut self, key: K, reply: Reply<T>, read: impl AsyncFnOnce(K) -> Result<T, StoreError>) {
        let known = self.0.get(&key);
        let mut reply = Some(reply);
        // Nobody waits for an answer any more if the request was given up; that is no error.
        let mut send = |answer| drop(reply.take().map(|reply| reply.send(answer)));
        if let Some(known) = known.filter(|known| known.is_fresh() || (known.took > QUICK && known.at.elapsed() < OLD))
        {
            send(Ok(Arc::clone(&known.value)));
            if known.is_fresh() {
                return;
            }
        }
        let start = Instant::now();
        match read(key.clone()).await {
            Ok(value) => {
                let answer = Answer { value: Arc::new(value), at: Instant::now(), took: start.elapsed() };
                send(Ok(Arc::clone(&answer.value)));
                self.0.insert(key, answer);
                self.forget();
            }
            Err(error) => {
                self.0.remove(&key);
                send(Err(error.into()));
            }
        }
    }

    /// Forgets the oldest answer if there are too many.
    fn forget(&mut self) {
        if self.0.len() > KEPT {
            let oldest = self.0.iter().min_by_key(|(_, answer)| answer.at).map(|(key, _)| key.clone());
            oldest.map(|key| self.0.remove(&key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(
        answers: &mut Answers<&'static str, u32>,
        found: Result<u32, StoreError>,
    ) -> Result<Arc<u32>, Trouble> {
        let (reply, answer) = oneshot::channel();
        answers.answer("key", reply, async |_| found).await;
        answer.await.expect("an answer")
    }

    #[tokio::test]
    async fn an_answer_is_kept_for_a_moment_and_an_error_is_not() {
        let mut answers = Answers::default();
        let missing = || Err(StoreError::NoId { id: "x".to_owned() });
        assert!(matches!(ask(&mut answers, missing()).await, Err(Trouble::Unknown(_))));
        assert_eq!(ask(&mut answers, Ok(1)).await, Ok(Arc::new(1)));
        assert_eq!(ask(&mut answers, Ok(2)).await, Ok(Arc::new(1)));
        answers.0.get_mut("key").expect("kept").at -= FRESH;
        assert_eq!(ask(&mut answers, Ok(3)).await, Ok(Arc::new(3)));
        // A slow question is answered with the last answer, and read again.
        let known = answers.0.get_mut("key").expect("kept");
        (known.took, known.at) = (Duration::from_millis(200), known.at - Duration::from_secs(11));
        assert_eq!(ask(&mut answers, Ok(4)).await, Ok(Arc::new(3)));
        assert_eq!(ask(&mut answers, Ok(5)).await, Ok(Arc::new(4)));
    }

    #[tokio::test]
    async fn only_some_answers_are_kept() {
        let mut answers = Answers::default();
        for key in 0..100 {
            let (reply, _answer) = oneshot::channel();
            answers.answer(key, reply, async |key| Ok(key)).await;
        }
        assert_eq!(answers.0.len(), KEPT);
        assert!(answers.0.contains_key(&99));
    }
}
