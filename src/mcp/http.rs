//! MCP over streamable HTTP for programs on this machine: loopback only, with a bearer token, Host and Origin checked.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::server::{Server, keep_fresh};
use crate::session::{Session, Watcher};

/// Where the protocol is spoken.
const PATH: &str = "/mcp";

/// How often a waiting client is told that the server lives; a client that went away is noticed then at the latest.
const KEEP_ALIVE: Duration = Duration::from_secs(2);

/// Fewer characters can be guessed.
const SHORTEST_TOKEN: usize = 16;

/// Bytes of a generated token.
const TOKEN_BYTES: usize = 32;

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The port is taken, or not allowed.
    #[error("127.0.0.1:{port} cannot be used: {error}")]
    Port {
        /// The port asked for.
        port: u16,
        /// What the system says.
        error: std::io::Error,
    },
    /// The token given is too easy, or cannot stand in a header.
    #[error("the token must have at least {SHORTEST_TOKEN} visible ASCII characters")]
    Token,
    /// The system has no randomness to give.
    #[error("no token can be generated: the system gives no random bytes")]
    Random,
    /// Serving failed.
    #[error("the server stopped: {0}")]
    Stopped(std::io::Error),
}

/// A server that is bound and not yet serving.
pub struct Http {
    listener: TcpListener,
    address: SocketAddr,
    token: String,
    server: Server,
    _watcher: Option<Watcher>,
}

impl Http {
    /// Takes the port (0: any free one) on 127.0.0.1. Without a token, one is generated.
    ///
    /// # Errors
    /// The port is taken, the token is too short.
    pub async fn bind(
        session: Session,
        port: u16,
        token: Option<String>,
    ) -> Result<Self, HttpError> {
        let token = match token {
            Some(token) if is_good(&token) => token,
            Some(_) => return Err(HttpError::Token),
            None => generate()?,
        };
        let refused = |error| HttpError::Port { port, error };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let watcher = keep_fresh(&session);
        Ok(Self {
            listener,
            address,
            token,
            server: Server::new(session),
            _watcher: watcher,
        })
    }

    /// Where clients find it.
    pub fn url(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// What clients must show.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Serves until `cancel` says so; queries that still run are cancelled then.
    ///
    /// # Errors
    /// The socket fails.
    pub async fn serve(self, cancel: CancellationToken) -> Result<(), HttpError> {
        self.server.prepare();
        let port = self.address.port();
        let names = ["127.0.0.1", "localhost"];
        // Without sessions every request stands alone: a connection that ends cancels its query, and a restart of the server
        // disturbs nobody.
        let config = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_sse_keep_alive(Some(KEEP_ALIVE))
            .with_cancellation_token(cancel.clone())
            .with_allowed_hosts(names.map(|name| format!("{name}:{port}")))
            .with_allowed_origins(names.map(|name| format!("http://{name}:{port}")))
            .enforce_origin_validation();
        let server = self.server;
        let service = StreamableHttpService::new(
            move || Ok(server.clone()),
            Arc::new(NeverSessionManager::default()),
            config,
        );
        let router =
            Router::new()
                .nest_service(PATH, service)
                .layer(middleware::from_fn_with_state(
                    Arc::<str>::from(self.token),
                    authorize,
                ));
        axum::serve(self.listener, router)
            .with_graceful_shutdown(cancel.cancelled_owned())
            .await
            .map_err(HttpError::Stopped)
    }
}

/// Lets requests with the token pass.
async fn authorize(State(token): State<Arc<str>>, request: Request, next: Next) -> Response {
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, given)| given.trim());
    if given.is_some_and(|given| are_equal(given.as_bytes(), token.as_bytes())) {
        return next.run(request).await;
    }
    let mut response = Response::new(Body::from(
        "this server wants `Authorization: Bearer TOKEN`, with the token it printed when it started\n",
    ));
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response.headers_mut().insert(
        header::WWW_AUTHENTICATE,
        header::HeaderValue::from_static("Bearer realm=\"metrex\""),
    );
    response
}

/// Compares in a time that depends on the lengths alone.
fn are_equal(one: &[u8], other: &[u8]) -> bool {
    let differences = one
        .iter()
        .zip(other)
        .fold(0, |all, (a, b)| std::hint::black_box(all | (a ^ b)));
    one.len() == other.len() && differences == 0
}

fn is_good(token: &str) -> bool {
    token.len() >= SHORTEST_TOKEN && token.bytes().all(|byte| byte.is_ascii_graphic())
}

fn generate() -> Result<String, HttpError> {
    let mut bytes = [0_u8; TOKEN_BYTES];
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| HttpError::Random)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
