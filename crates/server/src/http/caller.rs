//! Who asks: the browser of a session, a program with HTTP Basic, or, while there are no accounts,
//! whoever reaches the service.
//!
//! A browser sends its cookie along even where a foreign page made the request. What changes
//! something therefore carries a second token that only a page of the service can read.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::api::{Problem, ask};
use super::guard::is_local;
use crate::Error;
use crate::accounts::{Checked, Right, Role, Token, is_same};
use crate::config::Exposure;
use crate::database::{Entry, Known};
use crate::server::Shared;
use crate::time::now;

/// The cookie of a session.
pub(super) const COOKIE_NAME: &str = "lobule_session";
/// The second token.
const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
/// Name of whoever asks while there are no accounts.
pub(super) const LOCAL: &str = "local";

/// Where a connection comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// Who asks.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(super) how: How,
}

/// How a caller was recognised.
#[derive(Clone)]
pub(super) enum How {
    /// There are no accounts.
    Open,
    Session(Token),
    Basic,
}

impl Caller {
    fn local() -> Caller {
        Caller {
            name: LOCAL.to_owned(),
            role: Role::Admin,
            how: How::Open,
        }
    }

    /// Whether nobody had to log in.
    pub(super) fn is_local(&self) -> bool {
        matches!(self.how, How::Open)
    }
}

/// What a request shows of its caller.
enum Shown {
    Nothing,
    Session(Token),
    Basic { name: String, password: String },
    Malformed,
}

/// What was found of a caller.
pub(super) enum Found {
    Caller(Caller),
    Nobody,
    Wrong,
    /// Too many wrong passwords.
    Wait(Duration),
    /// Too many passwords at once.
    Busy,
}

impl Found {
    pub(super) fn into_caller(self) -> Result<Option<Caller>, Problem> {
        match self {
            Found::Caller(caller) => Ok(Some(caller)),
            Found::Nobody => Ok(None),
            Found::Wrong => Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "expected the name and password of an account",
            )),
            Found::Wait(wait) => Err(Problem::later(
                StatusCode::TOO_MANY_REQUESTS,
                "expected a pause after so many wrong passwords",
                wait,
            )),
            Found::Busy => Err(Problem::later(
                StatusCode::SERVICE_UNAVAILABLE,
                "too many are logging in at once",
                Duration::from_secs(1),
            )),
        }
    }
}

/// Finds out who asks; the answer goes with the request.
pub(super) async fn recognise(
    State(shared): State<Arc<Shared>>,
    mut request: Request,
    next: Next,
) -> Response {
    let shown = shown(request.headers());
    let address = peer(&request);
    let found = ask(&shared, move |shared| find(shared, shown, address));
    let caller = match found.await.and_then(Found::into_caller) {
        Ok(caller) => caller,
        Err(problem) => return asking_for_login(problem, request.headers()),
    };
    if let Some(caller) = caller {
        let is_guarded = shared.exposure == Exposure::Guarded;
        if caller.is_local() && is_guarded && !is_local(request.headers()) {
            let text = "expected a request to this machine by its own name";
            return Problem::new(StatusCode::MISDIRECTED_REQUEST, text).into_response();
        }
        if let How::Session(token) = &caller.how
            && changes(request.method())
            && !carries(request.headers(), &token.csrf())
        {
            let text = "expected the token of this session in X-CSRF-Token";
            return Problem::new(StatusCode::FORBIDDEN, text).into_response();
        }
        request.extensions_mut().insert(caller);
    }
    next.run(request).await
}

/// Refuses who may not.
pub(super) async fn require(State(right): State<Right>, request: Request, next: Next) -> Response {
    if right == Right::Nothing {
        return next.run(request).await;
    }
    match request.extensions().get::<Caller>() {
        Some(caller) if caller.role.may(right) => next.run(request).await,
        Some(_) => {
            let text = "expected an account with the right to do this";
            Problem::new(StatusCode::FORBIDDEN, text).into_response()
        }
        None => {
            let problem = Problem::new(
                StatusCode::UNAUTHORIZED,
                "expected somebody who is logged in",
            );
            asking_for_login(problem, request.headers())
        }
    }
}

/// The right that a request for files as they came needs: to take some in, or to see them. Whose
/// study was seen is entered.
pub(super) async fn require_identified(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let right = match changes(request.method()) {
        true => Right::Upload,
        false => Right::Identified,
    };
    let caller = request.extensions().get::<Caller>().cloned();
    let study = study_of(request.uri().path());
    let response = require(State(right), request, next).await;
    let (Some(caller), Some(uid), true) = (caller, study, response.status().is_success()) else {
        return response;
    };
    match ask(&shared, move |shared| note_a_look(shared, &caller, &uid)).await {
        Ok(()) => response,
        Err(problem) => problem.into_response(),
    }
}

/// The study of an address below `studies/`.
fn study_of(path: &str) -> Option<String> {
    let mut segments = path.split('/').skip_while(|segment| *segment != "studies");
    let uid = segments.nth(1).filter(|uid| !uid.is_empty());
    uid.map(str::to_owned)
}

/// Where people log in, it is entered whose study they looked at.
pub(super) fn note_a_look(shared: &Shared, caller: &Caller, uid: &str) -> Result<(), Error> {
    let key = lobule_dicomio::study_key(uid);
    if caller.is_local()
        || !shared
            .doors
            .looks
            .is_new(&caller.name, &key, Instant::now())
    {
        return Ok(());
    }
    let entry = Entry::by(&caller.name, "study.look", &key);
    shared.database.enter(&entry, now())
}

/// Programs are told how to log in; a browser would show a window of its own.
fn asking_for_login(problem: Problem, headers: &HeaderMap) -> Response {
    let mut response = problem.into_response();
    let is_browser = headers.contains_key("sec-fetch-mode");
    if response.status() == StatusCode::UNAUTHORIZED && !is_browser {
        let basic = HeaderValue::from_static("Basic realm=\"lobule\", charset=\"UTF-8\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, basic);
    }
    response
}

pub(super) fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

pub(super) fn peer(request: &Request) -> IpAddr {
    let found = request.extensions().get::<Peer>();
    found.map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0)
}

fn carries(headers: &HeaderMap, csrf: &str) -> bool {
    let shown = headers
        .get(CSRF_HEADER)
        .and_then(|value| value.to_str().ok());
    shown.is_some_and(|shown| is_same(shown, csrf))
}

fn shown(headers: &HeaderMap) -> Shown {
    if let Some(value) = headers.get(AUTHORIZATION) {
        return basic(value).unwrap_or(Shown::Malformed);
    }
    let cookies = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let pairs = cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let mut tokens = pairs.filter(|(name, _)| *name == COOKIE_NAME);
    let token = tokens.next().and_then(|(_, value)| Token::shown(value));
    token.map_or(Shown::Nothing, Shown::Session)
}

fn basic(value: &HeaderValue) -> Option<Shown> {
    let (scheme, text) = value.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some(Shown::Basic {
        name: name.to_owned(),
        password: password.to_owned(),
    })
}

fn find(shared: &Shared, shown: Shown, address: IpAddr) -> Result<Found, Error> {
    if shared.is_open()? {
        return Ok(Found::Caller(Caller::local()));
    }
    match shown {
        Shown::Nothing => Ok(Found::Nobody),
        Shown::Malformed => Ok(Found::Wrong),
        Shown::Session(token) => {
            let found =
                shared
                    .database
                    .session(&token.hash(), shared.config.accounts.expiry(), now())?;
            Ok(found.map_or(Found::Nobody, |(name, role)| {
                let how = How::Session(token);
                Found::Caller(Caller { name, role, how })
            }))
        }
        Shown::Basic { name, password } => {
            let login = check(shared, &name, &password, address)?;
            Ok(match login {
                Login::Right(known) => Found::Caller(Caller {
                    name: known.name,
                    role: known.role,
                    how: How::Basic,
                }),
                Login::Not(found) => found,
            })
        }
    }
}

/// What a name and a password came to.
pub(super) enum Login {
    Right(Known),
    Not(Found),
}

/// Checks a name and a password; failures are counted and entered.
pub(super) fn check(
    shared: &Shared,
    name: &str,
    password: &str,
    address: IpAddr,
) -> Result<Login, Error> {
    let known = shared.database.account(name)?;
    let hash = known.as_ref().map(|known| known.password.as_str());
    let doors = &shared.doors;
    if hash.is_some_and(|hash| doors.passwords.is_believed(password, hash)) {
        return Ok(known.map_or(Login::Not(Found::Wrong), Login::Right));
    }
    if let Some(wait) = doors.attempts.wait(address, name, Instant::now()) {
        return Ok(Login::Not(Found::Wait(wait)));
    }
    match (doors.passwords.check(password, hash), known) {
        (Checked::Busy, _) => Ok(Login::Not(Found::Busy)),
        (Checked::Right, Some(known)) => {
            doors.attempts.succeeded(address, name);
            doors.passwords.believe(password, &known.password);
            Ok(Login::Right(known))
        }
        (_, known) => {
            doors.attempts.failed(address, name, Instant::now());
            // What stands where a name is expected may be a password.
            let name = known
                .as_ref()
                .map_or("(unknown)", |known| known.name.as_str());
            let entry = Entry::by("(nobody)", "session.refused", name);
            let entry = entry.with("address", address.to_string());
            shared.database.enter(&entry, now())?;
            tracing::warn!(%address, "a wrong name or password");
            Ok(Login::Not(Found::Wrong))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(HeaderName, &'static str)]) -> Shown {
        let headers = pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        shown(&headers.collect())
    }

    #[test]
    fn addresses_name_their_study() {
        for (path, expected) in [
            ("/studies", None),
            ("/studies/1.2", Some("1.2")),
            ("/dicomweb/studies/1.2/series/1.3", Some("1.2")),
            ("/instances", None),
        ] {
            assert_eq!(study_of(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn cookies_and_passwords_are_taken_from_their_headers() {
        let token =
            "lobule_session=00000000000000000000000000000000000000000000000000000000000000ff";
        assert!(matches!(of(&[(COOKIE, token)]), Shown::Session(_)));
        let among = "a=b; lobule_session=00000000000000000000000000000000000000000000000000000000000000ff; c=d";
        assert!(matches!(of(&[(COOKIE, among)]), Shown::Session(_)));
        assert!(matches!(
            of(&[(COOKIE, "lobule_session=x")]),
            Shown::Nothing
        ));
        assert!(matches!(of(&[]), Shown::Nothing));
        // ann:pass:word
        let basic = of(&[(AUTHORIZATION, "Basic YW5uOnBhc3M6d29yZA==")]);
        assert!(
            matches!(basic, Shown::Basic { name, password } if name == "ann" && password == "pass:word")
        );
        for wrong in ["Basic", "Basic ????", "Bearer x", "Basic YW5u"] {
            assert!(
                matches!(of(&[(AUTHORIZATION, wrong)]), Shown::Malformed),
                "{wrong}"
            );
        }
    }
}
