use crate::support::{Replica, on_each_database, send};
use countersign::{
    runtime::Shutdown,
    wiring::{Listeners, Service},
};
use http::{Request, StatusCode, Version};
use http_body_util::Full;
use std::net::SocketAddr;
use tokio::net::TcpListener;

async fn ask(address: SocketAddr, path: &str) -> StatusCode {
    let request = Request::get(path).body(Full::default()).unwrap();
    send(address, Version::HTTP_11, request).await.status
}

#[test]
fn operators_probe_on_a_listener_of_their_own() {
    on_each_database(async |app| {
        let config = Replica::config(&app.database_url, &app.data_dir);
        let service = Service::assemble(&config, Replica::world(2), None).await.unwrap();
        let calls = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let operators = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (outside, inside) = (calls.local_addr().unwrap(), operators.local_addr().unwrap());
        let (stop, shutdown) = Shutdown::new();
        let listeners = Listeners { calls, operators: Some(operators) };
        let running = tokio::spawn(async move { Box::pin(service.run(listeners, shutdown)).await });
        for path in ["/healthz", "/readyz", "/metrics"] {
            assert_eq!(ask(inside, path).await, StatusCode::OK, "{path}");
            assert_eq!(ask(outside, path).await, StatusCode::NOT_FOUND, "{path} is open to everybody");
        }
        assert_eq!(ask(inside, "/verify").await, StatusCode::NOT_FOUND);
        stop.request();
        running.await.unwrap().unwrap();
    });
}
