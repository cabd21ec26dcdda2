//! The HTTP client: TLS by rustls with ring and the system's certificates, time limits, no redirects.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use reqwest::redirect::Policy;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

use crate::llm::LlmError;

/// How long a connection may take to come up.
const CONNECT: Duration = Duration::from_secs(10);

/// A client for `base_url`. Proxies are taken from the environment, but never for this very machine; a key goes to
/// another machine over TLS only.
pub(super) fn client(
    base_url: &str,
    timeout: Duration,
    has_key: bool,
) -> Result<reqwest::Client, LlmError> {
    let unusable = |what: String| LlmError::Network(what);
    let url = reqwest::Url::parse(base_url)
        .map_err(|error| unusable(format!("base_url is no URL: {error}")))?;
    let is_local = url.host_str().is_some_and(is_this_machine);
    if has_key && !is_local && url.scheme() != "https" {
        return Err(LlmError::InTheClear);
    }
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(format!("TLS is not available: {error}")))?
        .with_root_certificates(ROOTS.clone())
        .with_no_client_auth();
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(CONNECT.min(timeout))
        .read_timeout(timeout)
        .timeout(timeout)
        // A redirect would carry the key and the prompt to somebody who was not configured.
        .redirect(Policy::none());
    if is_local {
        builder = builder.no_proxy();
    }
    builder
        .build()
        .map_err(|_| unusable("the HTTP client cannot be made".to_owned()))
}

fn is_this_machine(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

/// The certificates of the system, read once: there are hundreds.
static ROOTS: LazyLock<RootCertStore> = LazyLock::new(|| {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
});
