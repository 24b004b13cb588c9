//! `/admin/explain`: why a request is, or was, answered so.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, Resource, web};
use serde::Deserialize;

use super::answer::{self, Trouble};
use crate::explain::question::{Named, Written};
use crate::explain::{Question, Refusals};
use crate::http::Service;
use crate::http::explain::{Explanation, explain, remembered};

/// A token and what goes with it: JSON may write a byte as six.
const MAX_BODY: usize = 128 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Command {
    request_id: Option<String>,
    url: Option<String>,
    method: Option<String>,
    token: Option<String>,
    origin: Option<String>,
    operation: Option<Named>,
}

/// `POST /admin/explain`
pub(super) fn resource() -> Resource {
    web::resource("/explain").app_data(web::PayloadConfig::new(MAX_BODY)).route(web::post().to(told))
}

async fn told(body: web::Bytes, service: web::Data<Service>) -> HttpResponse {
    answer::of(explained(&body, &service).await)
}

async fn explained(body: &[u8], service: &Service) -> Result<Explanation, Trouble> {
    match read(body)? {
        Command { request_id: Some(id), url: None, method: None, token: None, origin: None, operation: None } => {
            let (refusal, several) = service.refusals.find(&id).ok_or_else(unknown)?;
            let explanation = remembered(&service.point, &refusal);
            Ok(if several { explanation.of_several() } else { explanation })
        }
        Command { request_id: None, url: Some(url), method, token, origin, operation } => {
            let question = Question::read(Written { url, method, token, origin, operation });
            let question = question.map_err(|error| answer::invalid(error.to_string()))?;
            Ok(explain(&service.point, &service.contracts, &question, service.clock.now()).await)
        }
        _ => Err(answer::invalid("say which request: either its request_id, or its url and what goes with it")),
    }
}

fn unknown() -> Trouble {
    let description = format!(
        "no refusal of this request id is remembered: the last {most} of known callers and the last {most} of strangers \
         since the start are; allows are not, and each replica remembers its own",
        most = Refusals::MOST
    );
    Trouble::new(StatusCode::NOT_FOUND, "unknown_request", description)
}

/// Strictly, and without repeating what is wrong: it may be a token in the wrong place.
fn read(body: &[u8]) -> Result<Command, Trouble> {
    serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        answer::invalid(format!("the body is not what it should be, at line {line}, column {column}"))
    })
}
