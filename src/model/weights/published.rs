//! Weights that torchvision publishes for the networks that can be teachers.

use super::fetch::FetchError;
use crate::model::Architecture;

/// A file on a server whose name contains the first digits of its SHA-256, as in torch.hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedWeights {
    /// URL of the file.
    pub url: String,
    /// File name.
    pub file: String,
    /// First digits of its SHA-256.
    pub hash: String,
}

/// Smallest number of hash digits that didact accepts. PyTorch publishes eight.
const MIN_DIGITS: usize = 8;

impl PublishedWeights {
    /// Folder of torchvision's files.
    pub const SERVER: &str = "https://download.pytorch.org/models";

    /// Returns the file name of a network: the weights `IMAGENET1K_V1`, which the codes of ST-FPM and of reverse distillation use.
    fn file_of(architecture: Architecture) -> &'static str {
        match architecture {
            Architecture::Resnet18 => "resnet18-f37072fd.pth",
            Architecture::Resnet34 => "resnet34-b627a593.pth",
            Architecture::Resnet50 => "resnet50-0676ba61.pth",
            Architecture::WideResnet50x2 => "wide_resnet50_2-95faca4d.pth",
        }
    }

    /// Returns the weights of a network. `from` is the folder of a server, or the URL of a file whose name contains a hash.
    ///
    /// # Errors
    /// If `from` is not a URL, or if the file name contains no hash.
    pub fn new(architecture: Architecture, from: &str) -> Result<Self, FetchError> {
        let scheme = ["https://", "http://"].iter().any(|scheme| from.starts_with(scheme));
        if !scheme || from.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
            return Err(FetchError::Url(from.to_owned()));
        }
        let is_file = [".pth", ".pt", ".safetensors"].iter().any(|end| from.ends_with(end));
        let url = match is_file {
            true => from.to_owned(),
            false => format!("{}/{}", from.trim_end_matches('/'), Self::file_of(architecture)),
        };
        let file = url.rsplit('/').next().unwrap_or_default().to_owned();
        let hash = file.rsplit_once('-').and_then(|(_, end)| end.split('.').next()).unwrap_or_default().to_owned();
        let is_hash = (MIN_DIGITS..=64).contains(&hash.len())
            && hash.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        match is_hash {
            true => Ok(Self { url, file, hash }),
            false => Err(FetchError::NoHash(url)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_folder_and_a_file_url_are_distinguished() {
        let published = PublishedWeights::new(Architecture::Resnet18, PublishedWeights::SERVER).expect("published");
        assert_eq!(published.url, "https://download.pytorch.org/models/resnet18-f37072fd.pth");
        assert_eq!((published.file.as_str(), published.hash.as_str()), ("resnet18-f37072fd.pth", "f37072fd"));
        let published = PublishedWeights::new(Architecture::Resnet34, "http://mirror/models/").expect("a mirror");
        assert_eq!(published.url, "http://mirror/models/resnet34-b627a593.pth");
        let published =
            PublishedWeights::new(Architecture::Resnet18, "http://mirror/mine-0123456789abcdef.safetensors")
                .expect("a file");
        assert_eq!(
            (published.file.as_str(), published.hash.as_str()),
            ("mine-0123456789abcdef.safetensors", "0123456789abcdef")
        );
        for wrong in ["mirror/models", "file:///etc/passwd", "http://mir ror/", ""] {
            assert!(matches!(PublishedWeights::new(Architecture::Resnet18, wrong), Err(FetchError::Url(_))), "{wrong}");
        }
        for wrong in ["http://mirror/mine.pth", "http://mirror/mine-0123.pth", "http://mirror/mine-0123456g.pth"] {
            assert!(
                matches!(PublishedWeights::new(Architecture::Resnet18, wrong), Err(FetchError::NoHash(_))),
                "{wrong}"
            );
        }
    }
}
