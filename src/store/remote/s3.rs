//! Object stores that speak the protocol of Amazon S3.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path as ObjectPath;
use object_store::{
    ClientOptions, Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, RetryConfig, WriteMultipart,
};
use tokio::runtime::Runtime;

use super::objects::{Object, Objects};

/// Files up to this size are sent in one request, larger ones in parts of this size. Bytes.
const PART: usize = 16 << 20;
/// Maximum number of parts that are sent at once, and thus in memory.
const PARTS: usize = 3;
/// Time in which a request is retried while the server does not answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Requests run here, so that operations can block whatever runtime their caller has.
static RUNTIME: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
    // Another library may have chosen first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("s3").enable_all().build()
});

/// Objects below a prefix of a bucket.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    store: Arc<AmazonS3>,
    prefix: ObjectPath,
}

impl Bucket {
    /// Connects to a bucket. Region, endpoint and credentials come from the environment (`AWS_REGION`, `AWS_ENDPOINT_URL`,
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, …), or from the machine's role.
    ///
    /// # Errors
    /// A value of the environment is invalid.
    pub(super) fn open(bucket: &str, prefix: &str) -> io::Result<Self> {
        let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
        let endpoint = builder.get_config_value(&AmazonS3ConfigKey::Endpoint);
        let allow_http = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
        // Parts of large files take as long as they need. A connection without any data for a minute is broken.
        let client = ClientOptions::new()
            .with_timeout_disabled()
            .with_read_timeout(Duration::from_secs(60))
            .with_connect_timeout(Duration::from_secs(5))
            .with_allow_http(allow_http);
        let retry = RetryConfig { max_retries: usize::MAX, retry_timeout: PATIENCE, ..RetryConfig::default() };
        builder = builder.with_client_options(client).with_retry(retry);
        // The connector needs the runtime's cryptography.
        let _ = runtime()?;
        Ok(Self { store: Arc::new(builder.build()?), prefix: ObjectPath::from(prefix) })
    }

    fn path(&self, name: &str) -> ObjectPath {
        self.prefix.parts().chain(ObjectPath::from(name).parts()).collect()
    }

    /// Writes an object. Returns `false` if the mode forbids it, because the object exists.
    fn write(&self, name: &str, content: &[u8], mode: PutMode) -> io::Result<bool> {
        let (this, path) = (self.clone(), self.path(name));
        let payload = PutPayload::from(content.to_vec());
        wait(async move {
            match this.store.put_opts(&path, payload, PutOptions { mode, ..PutOptions::default() }).await {
                Err(Error::AlreadyExists { .. }) => Ok(false),
                Err(error) => Err(error.into()),
                Ok(_) => Ok(true),
            }
        })
    }
}

fn runtime() -> io::Result<&'static Runtime> {
    RUNTIME.as_ref().map_err(|error| io::Error::new(error.kind(), error.to_string()))
}

/// Blocks until requests are done.
fn wait<T: Send + 'static>(requests: impl Future<Output = io::Result<T>> + Send + 'static) -> io::Result<T> {
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    runtime()?.spawn(async move {
        // Nobody receives the result only if the caller's thread has ended.
        let _ = sender.send(requests.await);
    });
    receiver.recv().map_err(|_| io::Error::other("the requests to the object store were cut off"))?.map_err(explain)
}

/// Address at which machines of a cloud find their credentials.
const INSTANCE_METADATA: &str = "169.254.169.254";

/// Says what a person can do about an error.
fn explain(error: io::Error) -> io::Error {
    match error.kind() {
        // Requests for an object that does not exist are no errors here.
        io::ErrorKind::NotFound => io::Error::other(format!("the bucket does not exist: {error}")),
        _ if error.to_string().contains(INSTANCE_METADATA) => io::Error::other(format!(
            "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, unless this machine has a role ({error})"
        )),
        _ => error,
    }
}

/// Reads until the buffer is full or the file ends.
fn read_part(file: &mut File) -> io::Result<Vec<u8>> {
    let mut part = Vec::new();
    file.take(PART as u64).read_to_end(&mut part)?;
    Ok(part)
}

impl Objects for Bucket {
    fn get(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let (this, path) = (self.clone(), self.path(name));
        wait(async move {
            match this.store.get(&path).await {
                Err(Error::NotFound { .. }) => Ok(None),
                found => Ok(Some(found?.bytes().await?.to_vec())),
            }
        })
    }

    fn create(&self, name: &str, content: &[u8]) -> io::Result<bool> {
        self.write(name, content, PutMode::Create)
    }

    fn put(&self, name: &str, content: &[u8]) -> io::Result<()> {
        self.write(name, content, PutMode::Overwrite).map(drop)
    }

    fn upload(&self, file: &Path, name: &str) -> io::Result<()> {
        let (this, path, mut file) = (self.clone(), self.path(name), File::open(file)?);
        wait(async move {
            let mut part = read_part(&mut file)?;
            if part.len() < PART {
                this.store.put(&path, PutPayload::from(part)).await?;
                return Ok(());
            }
            let mut parts = WriteMultipart::new_with_chunk_size(this.store.put_multipart(&path).await?, PART);
            while !part.is_empty() {
                parts.wait_for_capacity(PARTS).await?;
                parts.put(part.into());
                part = read_part(&mut file)?;
            }
            parts.finish().await?;
            Ok(())
        })
    }

    fn download(&self, name: &str, file: Option<&Path>) -> io::Result<Option<String>> {
        let (this, path) = (self.clone(), self.path(name));
        let mut file = file.map(File::create).transpose()?;
        wait(async move {
            let mut content = match this.store.get(&path).await {
                Err(Error::NotFound { .. }) => return Ok(None),
                found => found?.into_stream(),
            };
            let mut hasher = blake3::Hasher::new();
            while let Some(bytes) = content.try_next().await? {
                hasher.update(&bytes);
                file.as_mut().map_or(Ok(()), |file| file.write_all(&bytes))?;
            }
            Ok(Some(hasher.finalize().to_hex().to_string()))
        })
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Object>> {
        let (this, path) = (self.clone(), self.path(folder));
        wait(async move {
            let name = |location: &ObjectPath| {
                let below = location.prefix_match(&this.prefix).into_iter().flatten();
                below.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/")
            };
            let listed = this.store.list(Some(&path));
            let listed = listed.map_ok(|found| Object { name: name(&found.location), bytes: found.size });
            let mut objects: Vec<Object> = listed.try_collect().await?;
            objects.sort_by(|one, other| one.name.cmp(&other.name));
            Ok(objects)
        })
    }

    fn remove(&self, names: &[String]) -> io::Result<()> {
        let this = self.clone();
        let paths: Vec<_> = names.iter().map(|name| Ok(self.path(name))).collect();
        wait(async move {
            let mut removed = this.store.delete_stream(stream::iter(paths).boxed());
            while let Some(outcome) = removed.next().await {
                match outcome {
                    Ok(_) | Err(Error::NotFound { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(())
        })
    }
}
