//! The board's files, embedded in the binary. Unknown paths that look like pages get the board, which
//! has its own routes.

use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "web/dist"]
struct Dist;

/// Shown when the program was built without the board.
const WITHOUT_BOARD: &str = "<!doctype html><meta charset=utf-8><title>linewatch</title>\
    <p>This linewatch-server was built without its board. Build <code>server/web</code> first \
    (<code>make build</code> does it). The API is at <a href=\"/docs\">/docs</a>.";

/// Serves one path.
pub(super) async fn serve(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path.starts_with("api/") || path.starts_with("sync/") {
        let detail = format!("there is nothing at {}", uri.path());
        return super::error::ApiError::not_found("unknown_path", detail).into_response();
    }
    if let Some(file) = Dist::get(path) {
        return file_response(path, file, &headers);
    }
    let looks_like_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    if looks_like_file {
        return (StatusCode::NOT_FOUND, "not found\n").into_response();
    }
    match Dist::get("index.html") {
        Some(file) => file_response("index.html", file, &headers),
        None => axum::response::Html(WITHOUT_BOARD).into_response(),
    }
}

fn file_response(path: &str, file: rust_embed::EmbeddedFile, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..16]));
    // Vite names what it builds by its content.
    let caching =
        if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let unchanged = headers.get(header::IF_NONE_MATCH).is_some_and(|seen| seen.as_bytes() == tag.as_bytes());
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = file.metadata.mimetype().to_owned();
        ([(header::CONTENT_TYPE, kind)], file.data.into_owned()).into_response()
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
