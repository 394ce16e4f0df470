//! A backend with one RPC, `orders.v1.Orders/List` (see `orders.proto`), that answers every caller with a token of its
//! audience.
//!
//! ```text
//! IDENTITY_ADDRESS=http://127.0.0.1:50051 ORDERS_CLIENT_ID=… ORDERS_CLIENT_SECRET=… LISTEN=127.0.0.1:50060 \
//!     cargo run -p countersign-verifier --example orders
//! ```
//!
//! `ORDERS_AUDIENCE` is `default` unless it is set.

use std::{env, error::Error};

use countersign_verifier::{Claims, Credentials, Verifier};
use orders::{
    ListRequest, ListResponse,
    orders_server::{Orders, OrdersServer},
};
use tonic::{Request, Response, Status, transport::Server};

struct Backend;

#[tonic::async_trait]
impl Orders for Backend {
    async fn list(&self, request: Request<ListRequest>) -> Result<Response<ListResponse>, Status> {
        // The layer refuses calls without a valid token.
        let claims = request.extensions().get::<Claims>().ok_or_else(|| Status::internal("no layer"))?;
        Ok(Response::new(ListResponse {
            subject: claims.subject().to_owned(),
            tenant_id: claims.tenant_id().to_owned(),
            session_id: claims.session_id().to_owned(),
            roles: claims.roles().to_vec(),
            service: claims.is_service(),
            orders: vec!["three lemons".to_owned()],
        }))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let audience = env::var("ORDERS_AUDIENCE").unwrap_or_else(|_| "default".to_owned());
    let credentials = Credentials::new(env::var("ORDERS_CLIENT_ID")?, env::var("ORDERS_CLIENT_SECRET")?);
    let verifier = Verifier::connect(env::var("IDENTITY_ADDRESS")?, credentials, audience).await?;

    let listener = tokio::net::TcpListener::bind(env::var("LISTEN")?).await?;
    announce(listener.local_addr()?);
    Server::builder()
        .layer(verifier.layer())
        .add_service(OrdersServer::new(Backend))
        .serve_with_incoming(tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true)))
        .await?;
    Ok(())
}

/// Prints the address, for a caller that lets the system choose the port.
#[expect(clippy::print_stdout, reason = "a program that says where it listens")]
fn announce(address: std::net::SocketAddr) {
    println!("listening on {address}");
}

#[rustfmt::skip]
#[allow(
    unreachable_pub,
    missing_debug_implementations,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    reason = "written by a generator"
)]
#[path = "orders/generated.rs"]
mod orders;
