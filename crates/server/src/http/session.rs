//! Logging in and out, and who is logged in.

use std::sync::Arc;

use axum::extract::FromRequest;
use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse, Json, Response};
use serde::{Deserialize, Serialize};

use super::api::{Given, Problem, ask};
use super::caller::{COOKIE_NAME, Caller, How, Login, check, peer};
use crate::accounts::{Role, Token};
use crate::database::Entry;
use crate::server::Shared;
use crate::time::now;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    name: String,
    password: String,
}

#[derive(Serialize)]
struct Session<'a> {
    name: &'a str,
    role: Role,
    /// What a page sends with each change.
    csrf: String,
    /// Whether nobody has to log in.
    open: bool,
}

fn answer(caller: &Caller) -> Response {
    let csrf = match &caller.how {
        How::Session(token) => token.csrf(),
        How::Open | How::Basic => String::new(),
    };
    let session = Session {
        name: &caller.name,
        role: caller.role,
        csrf,
        open: caller.is_local(),
    };
    Json(session).into_response()
}

pub(super) async fn show(caller: Option<Extension<Caller>>) -> Result<Response, Problem> {
    let nobody = || {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "expected somebody who is logged in",
        )
    };
    let Extension(caller) = caller.ok_or_else(nobody)?;
    Ok(answer(&caller))
}

pub(super) async fn open(
    State(shared): State<Arc<Shared>>,
    caller: Option<Extension<Caller>>,
    request: Request,
) -> Result<Response, Problem> {
    if let Some(Extension(caller)) = caller.filter(|caller| caller.is_local()) {
        return Ok(answer(&caller));
    }
    let address = peer(&request);
    let Given(Credentials { name, password }) = Given::from_request(request, &()).await?;
    let token = Token::new()?;
    let of = token.clone();
    let login = ask(&shared, move |shared| {
        let login = check(shared, &name, &password, address)?;
        if let Login::Right(known) = &login {
            let entry = Entry::by(&known.name, "session.open", &known.name);
            let entry = entry.with("address", address.to_string());
            let expiry = shared.config.accounts.expiry();
            shared
                .database
                .open_session(&of.hash(), known.id, expiry, &entry, now())?;
        }
        Ok(login)
    });
    match login.await? {
        Login::Right(known) => {
            let cookie = cookie(
                &shared,
                token.text(),
                shared.config.accounts.session_hours * 3600,
            );
            let caller = Caller {
                name: known.name,
                role: known.role,
                how: How::Session(token),
            };
            Ok((AppendHeaders([(SET_COOKIE, cookie)]), answer(&caller)).into_response())
        }
        Login::Not(found) => {
            let wrong = Problem::new(
                StatusCode::UNAUTHORIZED,
                "expected the name and password of an account",
            );
            Err(found.into_caller().err().unwrap_or(wrong))
        }
    }
}

pub(super) async fn close(
    State(shared): State<Arc<Shared>>,
    caller: Option<Extension<Caller>>,
) -> Result<Response, Problem> {
    if let Some(Extension(Caller {
        name,
        how: How::Session(token),
        ..
    })) = caller
    {
        let closed = ask(&shared, move |shared| {
            let entry = Entry::by(&name, "session.close", &name);
            shared.database.close_session(&token.hash(), &entry, now())
        });
        closed.await?;
    }
    let gone = AppendHeaders([(SET_COOKIE, cookie(&shared, "", 0))]);
    Ok((StatusCode::NO_CONTENT, gone).into_response())
}

fn cookie(shared: &Shared, value: &str, seconds: u64) -> String {
    let secure = match shared.config.http.tls {
        Some(_) => "; Secure",
        None => "",
    };
    format!("{COOKIE_NAME}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}
