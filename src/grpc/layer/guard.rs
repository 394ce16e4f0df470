use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use tonic::body::Body;

/// Refuses requests that are not gRPC calls, before their content is read.
///
/// tonic over HTTP/2 accepts any method and any content type, so that a form or a `fetch` without preflight from
/// another site would reach a handler. Only POST with a gRPC content type is admitted: no browser sends that across
/// origins without a preflight.
pub(super) fn refuse<B>(request: &Request<B>) -> Option<Response<Body>> {
    let (is_grpc, is_rpc_path) = (is_grpc(request.headers()), super::callers::find(request.uri().path()).is_some());
    if !is_grpc && !is_rpc_path {
        return Some(plain(StatusCode::NOT_FOUND));
    }
    if request.method() != Method::POST {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED);
        response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("POST"));
        return Some(response);
    }
    (!is_grpc).then(|| plain(StatusCode::UNSUPPORTED_MEDIA_TYPE))
}

fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// `application/grpc`, `application/grpc-web`, `application/grpc-web-text`, each with an optional `+proto`; exactly
/// one.
fn is_grpc(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let Ok(value) = value.to_str() else { return false };
    matches!(
        value.strip_suffix("+proto").unwrap_or(value),
        "application/grpc" | "application/grpc-web" | "application/grpc-web-text"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(method: &str, content_type: Option<&str>, path: &str) -> Option<u16> {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        refuse(&request.body(()).unwrap()).map(|response| response.status().as_u16())
    }

    const LOGIN: &str = "/countersign.v1.AuthService/Login";

    #[test]
    fn only_posts_of_grpc_pass() {
        for content_type in ["application/grpc", "application/grpc+proto", "application/grpc-web-text+proto"] {
            assert_eq!(verdict("POST", Some(content_type), LOGIN), None, "{content_type}");
            assert_eq!(verdict("GET", Some(content_type), LOGIN), Some(405), "{content_type}");
        }
        for content_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/json",
            "application/grpcx",
        ] {
            assert_eq!(verdict("POST", Some(content_type), LOGIN), Some(415), "{content_type}");
        }
        assert_eq!(verdict("POST", None, LOGIN), Some(415));
        assert_eq!(verdict("GET", None, LOGIN), Some(405));
        assert_eq!(verdict("GET", None, "/nothing"), Some(404));
    }
}
