//! Our pages over HTTP, and another site: two origins for one browser.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use actix_web::body::BoxBody;
use actix_web::dev::ServerHandle;
use actix_web::http::header;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, guard, web};
use mcp_forward_auth::http::pages::{Brand, Colour, Consent, Destination, Form, Forwarding, Logo, Page, Pages};

use super::samples;
use crate::support::ports;

/// A server on a port of its own; it stops with the value.
pub struct Site {
    pub port: u16,
    handle: ServerHandle,
}

impl Site {
    fn start(routes: impl Fn(&mut web::ServiceConfig) + Send + Clone + 'static) -> Self {
        let listener = ports::listen();
        let port = listener.local_addr().unwrap().port();
        let (send, handle) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || App::new().configure(routes.clone());
                let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run();
                send.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        Self { port, handle: handle.recv().unwrap() }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // The command is sent by the call; nobody waits for what is left.
        drop(self.handle.stop(false));
    }
}

/// What a form of ours sent: its fields, and what the browser said of where it came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Posted {
    pub fields: BTreeMap<String, String>,
    pub origin: Option<String>,
    pub fetch_site: Option<String>,
    pub referer: Option<String>,
}

/// Our pages, and what is posted by them.
pub struct Ours {
    pub site: Site,
    posted: Arc<Mutex<Vec<Posted>>>,
}

impl Ours {
    /// `/<name>` is the sample of that name, `/attack/<name>` the same with `attack` wherever somebody else has a say.
    /// Forms posted to `/consent` go on to the callback of `client` by a page, those to `/consent-with-redirect` by 303.
    pub fn start(client: &Site, attack: &str) -> Self {
        let posted = Arc::new(Mutex::new(Vec::new()));
        let state = web::Data::new(State {
            pages: every_page(attack),
            posted: Arc::clone(&posted),
            callback: client.url(CALLBACK_TARGET),
        });
        let site = Site::start(move |routes| {
            routes
                .app_data(state.clone())
                .route("/consent", web::post().to(by_page))
                .route("/consent-with-redirect", web::post().to(by_redirect))
                .default_service(web::route().guard(guard::Get()).to(shown))
                .service(web::resource("/{form:.*}").guard(guard::Post()).to(taken));
        });
        Self { site, posted }
    }

    /// The one form that was posted since the last call.
    pub fn posted(&self) -> Posted {
        let mut posted = self.all_posted();
        assert_eq!(posted.len(), 1, "{posted:?}");
        posted.remove(0)
    }

    /// Every form that was posted since the last call, in order.
    pub fn all_posted(&self) -> Vec<Posted> {
        std::mem::take(&mut *self.posted.lock().unwrap())
    }
}

/// Pages with the operator's name, logo and colour.
pub fn pages() -> Pages {
    const LOGO: &[u8] = br##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
        <rect width="32" height="32" rx="8" fill="#0f766e"/>
        <path d="M9 10h14M9 16h14M9 22h8" stroke="#fff" stroke-width="3" stroke-linecap="round"/></svg>"##;
    let colour = Colour::parse("#0f766e").unwrap();
    Pages::new(Brand::new("Example Notes").with_logo(Logo::from_bytes(LOGO).unwrap()).with_colour(colour))
}

/// Without a logo, in a colour that nobody could read on white or find there.
fn pale_pages() -> Pages {
    Pages::new(Brand::new("auth.example.com").with_colour(Colour::parse("#fff7d6").unwrap()))
}

fn every_page(attack: &str) -> BTreeMap<String, Page> {
    let (pages, pale) = (pages(), pale_pages());
    let mut all = BTreeMap::new();
    for (name, sample) in samples::all(None) {
        all.insert(format!("/{name}"), pages.show(&*sample));
    }
    for (name, sample) in samples::all(Some(attack)) {
        all.insert(format!("/attack/{name}"), pages.show(&*sample));
    }
    for name in ["consent-localhost", "connections"] {
        let (_, sample) = samples::all(None).into_iter().find(|(known, _)| *known == name).unwrap();
        all.insert(format!("/pale/{name}"), pale.show(&*sample));
    }
    let redirected = Consent { form: Form::new("/consent-with-redirect", "csrf"), ..samples::consent_localhost(None) };
    all.insert("/consent-then-redirect".to_owned(), pages.show(&redirected));
    all
}

/// Where the client is answered, with everything in it that an answer to a client may hold.
pub const CALLBACK_TARGET: &str =
    "/callback?code=code-for-alice&state=a;b,c%22d%20e%3Ff&iss=https%3A%2F%2Fauth.example.com";

struct State {
    pages: BTreeMap<String, Page>,
    posted: Arc<Mutex<Vec<Posted>>>,
    callback: String,
}

async fn shown(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    match state.pages.get(request.path()) {
        Some(page) => page.clone().into_response(),
        // A browser that takes this without a word would take anything.
        None if request.path() == "/wrong-policy" => with_the_wrong_policy(),
        None => HttpResponse::NotFound().finish(),
    }
}

/// One page with the policy of another.
fn with_the_wrong_policy() -> HttpResponse {
    let html = pages().show(&samples::consent(None)).html().to_owned();
    pale_pages().show(&samples::consent(None)).into_response().set_body(BoxBody::new(html))
}

async fn by_page(request: HttpRequest, form: Fields, state: web::Data<State>) -> HttpResponse {
    keep(&request, form, &state);
    let to = Some("Claude Code (notes)".to_owned());
    let destination = Destination::parse(&state.callback).unwrap();
    pages().show(&Forwarding { destination, to }).into_response()
}

async fn by_redirect(request: HttpRequest, form: Fields, state: web::Data<State>) -> HttpResponse {
    keep(&request, form, &state);
    HttpResponse::SeeOther().insert_header((header::LOCATION, state.callback.as_str())).finish()
}

/// Any other form: it is kept, and that is the end.
async fn taken(request: HttpRequest, form: Fields, state: web::Data<State>) -> HttpResponse {
    keep(&request, form, &state);
    html("<!doctype html><title>Taken</title><p id=end>Taken</p>".to_owned()).await
}

type Fields = web::Form<BTreeMap<String, String>>;

fn keep(request: &HttpRequest, form: Fields, state: &State) {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let posted = Posted {
        fields: form.into_inner(),
        origin: header("origin"),
        fetch_site: header("sec-fetch-site"),
        referer: header("referer"),
    };
    state.posted.lock().unwrap().push(posted);
}

/// The site of a client that runs in browsers.
pub fn client_site() -> Site {
    Site::start(|routes| {
        routes
            .route("/callback", web::get().to(|| html(CALLBACK.to_owned())))
            .route("/opener", web::get().to(|of: Of| html(OPENER.replace("URL", &of.url))))
            .route("/frame", web::get().to(|of: Of| html(FRAME.replace("URL", &of.url))));
    })
}

#[derive(serde::Deserialize)]
struct Target {
    url: String,
}

type Of = web::Query<Target>;

const CALLBACK: &str = "<!doctype html><title>Client</title><p id=end>The client has its answer.</p>
    <script>window.opener?.postMessage(location.search, '*')</script>";
const OPENER: &str = "<!doctype html><title>Client</title><button onclick=\"window.open('URL')\">Connect</button>
    <script>addEventListener('message', (event) => { window.reported = event.data })</script>";
const FRAME: &str = "<!doctype html><title>Attacker</title><iframe src='URL'></iframe>";

#[expect(clippy::unused_async, reason = "handlers are async")]
async fn html(text: String) -> HttpResponse {
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(text)
}
