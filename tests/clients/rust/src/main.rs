//! Connects with the official Rust SDK from nothing, or with what it kept: discovery, registration, sign-in, a tool call.
//!
//!     rust-client --url http://localhost:8080/mcp --store FILE [--document URL] [--again] [PERSON …]
//!
//! PERSON is a program that is given the authorization URL as its last argument and prints the redirect URI with the
//! answer, as `person.py` does; without it nobody can be asked. FILE keeps the credentials between runs. With `--again`
//! the tool is called once more, when the first access token is refused. Prints one JSON object: `answer` is the tool's,
//! `sign_ins` counts how often the person was asked, `kept` is what stands in FILE. Exits 1 with `error` otherwise.

mod store;

use std::process::{ExitCode, Stdio};
use std::time::Duration;

use rmcp::ServiceExt;
use rmcp::model::{CallToolRequestParams, ClientConfig};
use rmcp::service::{Peer, RoleClient};
use rmcp::transport::auth::{AuthClient, AuthorizationManager, AuthorizationRequest, CredentialStore, OAuthState};
use rmcp::transport::streamable_http_client::{StreamableHttpClientTransport, StreamableHttpClientTransportConfig};
use serde_json::{Value, json};
use store::FileStore;

type Failure = Box<dyn std::error::Error>;

const REDIRECT_URI: &str = "http://localhost:3031/callback";
const DEADLINE: Duration = Duration::from_secs(180);

#[derive(Default)]
struct Options {
    url: String,
    store: String,
    document: Option<String>,
    again: bool,
    person: Vec<String>,
}

impl Options {
    fn read() -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match &*word {
                "--url" => options.url = value()?,
                "--store" => options.store = value()?,
                "--document" => options.document = Some(value()?),
                "--again" => options.again = true,
                _ => {
                    options.person.push(word);
                    options.person.extend(words.by_ref());
                }
            }
        }
        Ok(options)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut report = json!({ "sign_ins": 0 });
    let done = tokio::time::timeout(DEADLINE, run(&mut report)).await;
    let done = done.unwrap_or_else(|_| Err("not done in time".into()));
    if let Err(error) = &done {
        report["error"] = json!(causes(&**error));
    }
    println!("{report}");
    if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn run(report: &mut Value) -> Result<(), Failure> {
    let options = Options::read()?;
    let store = FileStore::new(&options.store);
    let mut manager = AuthorizationManager::new(&*options.url).await?;
    manager.set_credential_store(store.clone());
    if !manager.initialize_from_store().await? {
        manager = sign_in(manager, &options, report).await?;
    }
    let client = AuthClient::new(reqwest::Client::default(), manager);
    let transport = StreamableHttpClientTransport::with_client(
        client,
        StreamableHttpClientTransportConfig::with_uri(&*options.url),
    );
    let service = ClientConfig::default().serve(transport).await?;
    report["answer"] = whoami(&service).await?;
    if options.again {
        until_refused(&options.url, &store).await?;
        report["answer"] = whoami(&service).await?;
    }
    service.cancel().await?;
    report["kept"] = serde_json::to_value(store.load().await?)?;
    Ok(())
}

async fn sign_in(
    manager: AuthorizationManager,
    options: &Options,
    report: &mut Value,
) -> Result<AuthorizationManager, Failure> {
    let mut request = AuthorizationRequest::new(REDIRECT_URI).with_client_name("Rust SDK");
    if let Some(document) = &options.document {
        request = request.with_client_metadata_url(document);
    }
    let mut state = OAuthState::Unauthorized(manager);
    state.start_authorization(request).await?;
    let answer = ask(&options.person, &state.get_authorization_url().await?).await?;
    report["sign_ins"] = json!(1);
    state.handle_callback_url(&answer).await?;
    state.into_authorization_manager().ok_or_else(|| "the sign-in did not end".into())
}

async fn ask(person: &[String], url: &str) -> Result<String, Failure> {
    let (program, arguments) = person.split_first().ok_or("a person is needed, and there is none")?;
    let mut command = tokio::process::Command::new(program);
    let output = command.args(arguments).arg(url).stderr(Stdio::inherit()).output().await?;
    if !output.status.success() {
        return Err(format!("the person came to no end: {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

async fn whoami(service: &Peer<RoleClient>) -> Result<Value, Failure> {
    let result = service.call_tool(CallToolRequestParams::new("whoami")).await?;
    let text = result.content.iter().find_map(|block| block.as_text()).ok_or("the tool said nothing")?;
    Ok(serde_json::from_str(&text.text)?)
}

/// Waits until the server refuses the access token that is kept now.
async fn until_refused(url: &str, store: &FileStore) -> Result<(), Failure> {
    let kept = serde_json::to_value(store.load().await?)?;
    let token = kept["token_response"]["access_token"].as_str().ok_or("no token is kept")?.to_owned();
    loop {
        let request = reqwest::Client::new().post(url).bearer_auth(&token).body("{}");
        if request.header("content-type", "application/json").send().await?.status() == 401 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// An error with everything that led to it.
fn causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
