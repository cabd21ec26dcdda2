//! A throwaway PostgreSQL cluster: made when the first test needs it, stopped and removed when the test binary ends.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, Weak};

use metrex::model::{Connection, ConnectionKind, PostgresSettings};
use tempfile::TempDir;

/// A running server, with its socket in a folder of its own and on a free TCP port of 127.0.0.1.
pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    pub port: u16,
}

/// The password of a cluster that asks for one.
pub const PASSWORD: &str = "correct horse";

impl Cluster {
    /// The cluster that the running tests of this binary share; `None`, said plainly, where PostgreSQL is not installed.
    pub fn shared() -> Option<Arc<Self>> {
        static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
        let mut shared = SHARED
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(cluster) = shared.upgrade() {
            return Some(cluster);
        }
        let cluster = Arc::new(Self::start(false)?);
        *shared = Arc::downgrade(&cluster);
        Some(cluster)
    }

    /// A cluster of one's own, to be mistreated; with `passwords`, it asks for [`PASSWORD`].
    pub fn start(passwords: bool) -> Option<Self> {
        let Some(programs) = programs() else {
            println!("SKIPPED: no PostgreSQL server programs found");
            return None;
        };
        let folder = tempfile::Builder::new()
            .prefix("metrex-pg")
            .tempdir_in("/tmp")
            .unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let port = free_port();
        let cluster = Self {
            folder,
            programs,
            port,
        };
        let password_file = cluster.folder.path().join("password");
        std::fs::write(&password_file, PASSWORD).unwrap();
        let mut initdb = cluster.program("initdb");
        initdb.args([
            "--no-sync",
            "--username=metrex",
            "--encoding=UTF8",
            "--locale=C",
        ]);
        if passwords {
            initdb
                .arg("--auth=scram-sha-256")
                .arg("--pwfile")
                .arg(&password_file);
        } else {
            initdb.arg("--auth=trust");
        }
        run(initdb.arg("-D").arg(cluster.data()));
        cluster.boot();
        Some(cluster)
    }

    /// Starts the server.
    pub fn boot(&self) {
        let options = format!(
            "-p {} -k {} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200",
            self.port,
            self.folder.path().display()
        );
        let mut start = self.program("pg_ctl");
        start
            .arg("-D")
            .arg(self.data())
            .arg("-l")
            .arg(self.folder.path().join("log"));
        run(start.args(["-w", "-o", &options, "start"]));
    }

    /// Restarts the server with TLS, by the certificate for `localhost` in `tests/fixtures/tls`.
    pub fn use_tls(&self) {
        let certificate = include_str!("../fixtures/tls/server.pem");
        let key = include_str!("../fixtures/tls/server.key");
        self.psql("ALTER SYSTEM SET ssl = on");
        // Written by the server itself, so that the files are its own and nobody else can read the key.
        for (file, text) in [("server.crt", certificate), ("server.key", key)] {
            let text = text.trim_end();
            self.psql(&format!(
                "COPY (SELECT unnest(string_to_array('{text}', chr(10)))) TO PROGRAM 'umask 077; cat > {file}'"
            ));
        }
        self.kill();
        self.boot();
    }

    /// Stops the server at once, as a crash would.
    pub fn kill(&self) {
        let mut stop = self.program("pg_ctl");
        run(stop
            .arg("-D")
            .arg(self.data())
            .args(["-m", "immediate", "-w", "stop"]));
    }

    /// The folder that the socket is in.
    pub fn socket(&self) -> &Path {
        self.folder.path()
    }

    /// A URL over TCP.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The URL of another database than the usual one.
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://metrex@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs SQL with psql, outside of what is tested.
    pub fn psql(&self, sql: &str) -> String {
        self.psql_in("postgres", sql)
    }

    /// The same in another database than the usual one.
    pub fn psql_in(&self, database: &str, sql: &str) -> String {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            "metrex",
            "-d",
            database,
        ]);
        psql.arg("-h")
            .arg(self.socket())
            .arg("-p")
            .arg(self.port.to_string())
            .args(["-c", sql]);
        let output = psql.env("PGPASSWORD", PASSWORD).output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A server program, as the `postgres` user where the tests run as root, which it refuses.
    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let root = Command::new("id")
            .arg("-u")
            .output()
            .is_ok_and(|id| id.stdout == b"0\n");
        if !root {
            return Command::new(program);
        }
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut stop = self.program("pg_ctl");
        stop.arg("-D")
            .arg(self.data())
            .args(["-m", "immediate", "-w", "stop"]);
        let _ = stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

/// A connection with these settings.
pub fn connection(settings: PostgresSettings) -> Connection {
    let kind = ConnectionKind::Postgres(settings);
    Connection {
        name: "test".to_owned(),
        kind,
        row_cap: 1_000_000,
    }
}

/// A connection with this URL.
pub fn at(url: &str) -> Connection {
    connection(PostgresSettings {
        url: Some(url.to_owned()),
        ..PostgresSettings::default()
    })
}

/// The folder with PostgreSQL's server programs: of the newest version installed, else from `PATH`.
fn programs() -> Option<PathBuf> {
    let mut folders: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            Some((path.file_name()?.to_str()?.parse().ok()?, path.join("bin")))
        })
        .collect();
    folders.sort();
    let installed = folders.into_iter().rev().map(|(_, folder)| folder);
    let path = std::env::var_os("PATH").unwrap_or_default();
    installed
        .chain(std::env::split_paths(&path))
        .find(|folder| is_postgres(&folder.join("initdb")))
}

/// Whether this really is PostgreSQL's `initdb`.
fn is_postgres(initdb: &Path) -> bool {
    let version = Command::new(initdb)
        .arg("--version")
        .stderr(Stdio::null())
        .output();
    version.is_ok_and(|output| output.stdout.starts_with(b"initdb (PostgreSQL)"))
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn run(command: &mut Command) {
    let output = command
        .stdin(Stdio::null())
        .current_dir("/")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
