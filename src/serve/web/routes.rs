//! Which address shows what.

use std::collections::HashMap;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Serialize;

use super::guard::{Guard, Verdict};
use super::page::{message, sweep_address, waiting};
use super::reader::{Questions, Trouble};
use super::reports::{ReportState, Reports};
use super::runs_page::{run_page, runs_page};
use super::sweep_page::sweep_page;
use super::sweeps_page::sweeps_page;
use crate::stages::short_key;
use crate::store::{RunFilter, RunState};

/// Pages hold their own style and scripts. Nothing comes from elsewhere, nothing is sent, and no other page may show them in a frame.
const POLICY: &str = "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What all requests share.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub questions: Questions,
    pub reports: Reports,
}

/// Returns the routes behind the guard.
pub(super) fn router(shared: Shared, guard: Guard) -> Router {
    Router::new()
        .route("/", get(sweeps))
        .route("/sweeps/{sweep}", get(sweep))
        .route("/sweeps/{sweep}/runs", get(runs))
        .route("/sweeps/{sweep}/runs/{run}", get(run))
        .route("/sweeps/{sweep}/report", get(to_report))
        .route("/sweeps/{sweep}/report/", get(report))
        .route("/sweeps/{sweep}/report/{*file}", get(report_file))
        .route("/api/sweeps", get(sweeps_json))
        .route("/api/sweeps/{sweep}", get(sweep_json))
        .fallback(async || not_found("There is no such page."))
        .with_state(shared)
        .layer(from_fn_with_state(guard, guarded))
}

/// Refuses requests that the guard refuses, and adds headers to all answers.
async fn guarded(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let mut answer = match guard.judge(request.method(), request.uri(), request.headers()) {
        Verdict::Allow => next.run(request).await,
        Verdict::Welcome { address, cookie } => {
            let mut answer = Redirect::to(&address).into_response();
            if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                answer.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            answer
        }
        Verdict::Refuse(status, reason) => html(status, message("Refused", reason)),
    };
    let constant = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in constant {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let same_origin = HeaderValue::from_static("same-origin");
    answer.headers_mut().insert("cross-origin-resource-policy", same_origin);
    answer
}

type Parameters = Query<HashMap<String, String>>;

async fn sweeps(State(shared): State<Shared>, Query(given): Parameters, headers: HeaderMap) -> Response {
    let text = given.get("q").map(String::as_str).unwrap_or_default();
    match shared.questions.sweeps().await {
        Ok(sweeps) => page(&headers, sweeps_page(&sweeps, text)),
        Err(trouble) => no_answer(&trouble),
    }
}

async fn sweep(State(shared): State<Shared>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    match shared.questions.sweep(&name).await {
        Ok(sweep) => page(&headers, sweep_page(&sweep, shared.reports.peek(&sweep.progress.key).as_ref())),
        Err(trouble) => no_answer(&trouble),
    }
}

async fn runs(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Query(given): Parameters,
    headers: HeaderMap,
) -> Response {
    let filter = RunFilter {
        state: given.get("state").and_then(|state| RunState::named(state)),
        text: given.get("q").map(|text| text.trim().chars().take(200).collect()).unwrap_or_default(),
        skip: given.get("skip").and_then(|skip| skip.parse().ok()).unwrap_or(0).max(0),
    };
    match shared.questions.runs(&name, filter.clone()).await {
        Ok(list) => page(&headers, runs_page(&name, &list, &filter)),
        Err(trouble) => no_answer(&trouble),
    }
}

async fn run(State(shared): State<Shared>, Path((name, key)): Path<(String, String)>, headers: HeaderMap) -> Response {
    match shared.questions.run(&name, &key).await {
        Ok(run) => {
            let file = format!("runs/{}.html", short_key(&run.facts.id));
            let report = shared.reports.file(&run.facts.sweep_id, &file);
            let address = report.map(|_| format!("{}/report/{file}", sweep_address(&name)));
            page(&headers, run_page(&name, &run, address.as_deref()))
        }
        Err(trouble) => no_answer(&trouble),
    }
}

async fn to_report(Path(name): Path<String>) -> Redirect {
    Redirect::to(&format!("{}/report/", sweep_address(&name)))
}

/// Shows the report of a sweep. The first time, it is made; the reader waits on a page that loads itself again.
async fn report(State(shared): State<Shared>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let sweep = match shared.questions.sweep(&name).await {
        Ok(sweep) => sweep,
        Err(trouble) => return no_answer(&trouble),
    };
    let key = &sweep.progress.key;
    match shared.reports.ask(key, &sweep.version()) {
        ReportState::Ready(_) => file(&shared, key, "", &headers).await,
        ReportState::Making => {
            let text = "The report is being made with the cores that are idle. This page then shows it.";
            html(StatusCode::ACCEPTED, waiting(&format!("Report of {name}"), text))
        }
        ReportState::Failed(reason) => {
            html(StatusCode::INTERNAL_SERVER_ERROR, message("The report could not be made", &reason))
        }
    }
}

async fn report_file(
    State(shared): State<Shared>,
    Path((name, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    match shared.questions.sweep(&name).await {
        Ok(sweep) => file(&shared, &sweep.progress.key, &path, &headers).await,
        Err(trouble) => no_answer(&trouble),
    }
}

/// Returns a file of a report.
async fn file(shared: &Shared, sweep: &str, path: &str, headers: &HeaderMap) -> Response {
    let Some(found) = shared.reports.file(sweep, path) else {
        return not_found("The report has no such file. It may be made anew: reload the report.");
    };
    let kind = match found.extension().and_then(|ending| ending.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg") => "image/jpeg",
        Some("pdf") => "application/pdf",
        Some("json") => "application/json",
        _ => "text/plain; charset=utf-8",
    };
    match tokio::fs::read(found).await {
        Ok(bytes) => tagged(headers, kind, bytes),
        Err(error) => not_found(&format!("The file cannot be read: {error}.")),
    }
}

async fn sweeps_json(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    match shared.questions.sweeps().await {
        Ok(sweeps) => json(&headers, &*sweeps),
        Err(trouble) => no_answer(&trouble),
    }
}

async fn sweep_json(State(shared): State<Shared>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    match shared.questions.sweep(&name).await {
        Ok(sweep) => json(&headers, &*sweep),
        Err(trouble) => no_answer(&trouble),
    }
}

fn json(headers: &HeaderMap, value: &impl Serialize) -> Response {
    match serde_json::to_vec_pretty(value) {
        Ok(bytes) => tagged(headers, "application/json", bytes),
        Err(error) => html(StatusCode::INTERNAL_SERVER_ERROR, message("Not shown", &error.to_string())),
    }
}

fn page(headers: &HeaderMap, text: String) -> Response {
    tagged(headers, "text/html; charset=utf-8", text.into_bytes())
}

/// Answers with these bytes, or says that the reader has them already.
fn tagged(headers: &HeaderMap, kind: &'static str, bytes: Vec<u8>) -> Response {
    let tag = format!("\"{}\"", &blake3::hash(&bytes).to_hex()[..32]);
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let status = if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let body = if is_known { Body::empty() } else { Body::from(bytes) };
    (status, [(header::CONTENT_TYPE, kind.to_owned()), (header::ETAG, tag)], body).into_response()
}

fn html(status: StatusCode, text: String) -> Response {
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
}

fn not_found(reason: &str) -> Response {
    html(StatusCode::NOT_FOUND, message("Not found", reason))
}

fn no_answer(trouble: &Trouble) -> Response {
    match trouble {
        Trouble::Unknown(reason) => not_found(reason),
        Trouble::Away(reason) => html(StatusCode::SERVICE_UNAVAILABLE, message("The store cannot be read now", reason)),
    }
}
