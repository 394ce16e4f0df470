//! What the machine could do: a bare tonic server, one statement over the same library, one hash, one signature.
//!
//! The server runs in a process of its own, as the service does.

use crate::drive::Caller;
use futures_util::future::BoxFuture;
use prost::bytes::Bytes;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement, Value};
use std::{convert::Infallible, error::Error, sync::Arc, task};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Request, Response, Status,
    body::Body,
    client,
    server::{Grpc, NamedService, UnaryService},
    transport::{Channel, Server},
};
use tonic_prost::ProstCodec;
use tower::Service;

/// Rows of the table that statements read and change.
const ROWS: i64 = 64;
/// As large as an answer of GetMe.
const ANSWER: [u8; 200] = [7; 200];
/// Connections to PostgreSQL: about eight for each core.
const CONNECTIONS: u32 = 16;

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Payload {
    #[prost(int64, tag = "1")]
    key: i64,
    #[prost(bytes = "bytes", tag = "2")]
    body: Bytes,
}

/// What a call of the bare server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bare {
    Echo,
    /// One SELECT by key.
    Select,
    /// One UPDATE … RETURNING by key, which commits.
    Update,
}

impl Bare {
    fn path(self) -> &'static str {
        match self {
            Self::Echo => "/loadtest.Ceiling/Echo",
            Self::Select => "/loadtest.Ceiling/Select",
            Self::Update => "/loadtest.Ceiling/Update",
        }
    }
}

#[derive(Clone, Debug)]
struct Ceiling {
    writer: DatabaseConnection,
    reader: DatabaseConnection,
}

struct Answering(Ceiling, Bare);

impl UnaryService<Payload> for Answering {
    type Response = Payload;
    type Future = BoxFuture<'static, Result<Response<Payload>, Status>>;

    fn call(&mut self, request: Request<Payload>) -> Self::Future {
        let (ceiling, bare) = (self.0.clone(), self.1);
        Box::pin(async move {
            let key = request.into_inner().key;
            let key = match bare {
                Bare::Echo => key,
                Bare::Select => one(&ceiling.reader, "SELECT n FROM ceiling WHERE id = $1", key).await?,
                Bare::Update => {
                    one(&ceiling.writer, "UPDATE ceiling SET n = n + 1 WHERE id = $1 RETURNING n", key).await?
                }
            };
            Ok(Response::new(Payload { key, body: Bytes::from_static(&ANSWER) }))
        })
    }
}

async fn one(database: &DatabaseConnection, sql: &str, key: i64) -> Result<i64, Status> {
    let statement = Statement::from_sql_and_values(database.get_database_backend(), sql, [Value::from(key % ROWS)]);
    let row = database.query_one_raw(statement).await.map_err(|error| Status::unavailable(error.to_string()))?;
    row.ok_or_else(|| Status::not_found("no row"))?
        .try_get_by_index(0)
        .map_err(|error| Status::internal(error.to_string()))
}

impl NamedService for Ceiling {
    const NAME: &'static str = "loadtest.Ceiling";
}

impl Service<http::Request<Body>> for Ceiling {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> task::Poll<Result<(), Infallible>> {
        task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let bare =
            [Bare::Echo, Bare::Select, Bare::Update].into_iter().find(|bare| bare.path() == request.uri().path());
        let answering = Answering(self.clone(), bare.unwrap_or(Bare::Echo));
        Box::pin(
            async move { Ok(Grpc::new(ProstCodec::<Payload, Payload>::default()).unary(answering, request).await) },
        )
    }
}

/// Serves until the process is ended.
pub(crate) async fn serve(listen: &str, database_url: &str) -> Result<(), Box<dyn Error>> {
    let pool = async |connections| {
        let mut options = ConnectOptions::new(database_url);
        options.max_connections(connections).min_connections(1).sqlx_logging(false);
        if database_url.starts_with("sqlite:") {
            options.map_sqlx_sqlite_opts(|options| {
                options.create_if_missing(true).pragma("journal_mode", "WAL").pragma("synchronous", "FULL")
            });
        }
        Database::connect(options).await
    };
    // SQLite has one writer at a time.
    let is_sqlite = database_url.starts_with("sqlite:");
    let writer = pool(if is_sqlite { 1 } else { CONNECTIONS }).await?;
    prepare(&writer).await?;
    let reader = if is_sqlite { pool(4).await? } else { writer.clone() };
    let listener = TcpListener::bind(listen).await?;
    let ceiling = Ceiling { writer, reader };
    Server::builder()
        .tcp_nodelay(true)
        .add_service(ceiling)
        .serve_with_incoming(TcpListenerStream::new(listener))
        .await?;
    Ok(())
}

async fn prepare(database: &DatabaseConnection) -> Result<(), Box<dyn Error>> {
    database.execute_unprepared("DROP TABLE IF EXISTS ceiling").await?;
    database.execute_unprepared("CREATE TABLE ceiling (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)").await?;
    for id in 0..ROWS {
        database.execute_unprepared(&format!("INSERT INTO ceiling (id, n) VALUES ({id}, 0)")).await?;
    }
    if database.get_database_backend() == DbBackend::Postgres {
        database.execute_unprepared("ANALYZE ceiling").await?;
    }
    Ok(())
}

/// Callers of the bare server.
pub(crate) fn callers(channels: &[Channel], count: usize, bare: Bare) -> Vec<Caller> {
    let channels: Arc<[Channel]> = channels.into();
    (0..count)
        .map(|number| {
            let channel = channels[number % channels.len()].clone();
            let caller: Caller = Box::new(move || {
                let mut grpc = client::Grpc::new(channel.clone());
                Box::pin(async move {
                    let key = i64::try_from(number).unwrap_or(0);
                    let payload = Payload { key, body: Bytes::from_static(&ANSWER) };
                    grpc.ready().await.map_err(|error| error.to_string())?;
                    let path = http::uri::PathAndQuery::from_static(bare.path());
                    let codec = ProstCodec::<Payload, Payload>::default();
                    grpc.unary(Request::new(payload), path, codec).await.map(|_| ()).map_err(|error| error.to_string())
                })
            });
            caller
        })
        .collect()
}
