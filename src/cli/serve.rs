use super::{
    Outcome, Screen, block_on,
    supervise::{OnSignal, Supervised},
};
use crate::{
    config::{Config, LogFormat, Profile},
    telemetry::{self, Metrics},
    wiring::{Listeners, Service, StartingProbes, World},
};
use std::{net::SocketAddr, time::Duration};
use tokio::net::TcpListener;

/// How long after draining a process that has not ended is killed.
const STUCK: Duration = Duration::from_secs(5);

pub(super) fn serve(config: &Config, supervised: &Supervised, screen: &Screen) -> Outcome {
    let format = match config.log.format {
        LogFormat::Text => telemetry::LogFormat::Text,
        LogFormat::Json => telemetry::LogFormat::Json,
    };
    telemetry::start_log(format, &config.log.filter)?;
    block_on(Box::pin(start_and_serve(config, supervised, screen)))
}

async fn start_and_serve(config: &Config, supervised: &Supervised, screen: &Screen) -> Outcome {
    // The listeners come first, so that a second service on the same address changes nothing.
    let listeners = Listeners {
        calls: listen(config.listen).await?,
        operators: match config.admin_listen {
            Some(address) => Some(listen(address).await?),
            None => None,
        },
    };
    let metrics = Metrics::start()?;
    let mut shutdown = supervised.shutdown.clone();
    // A start may wait for long: for a database that does not answer yet, or for another process that migrates it.
    let answer = |listener| StartingProbes::answer(config, listener, StartingProbes::PATIENCE);
    let starting = listeners.operators.as_ref().map(answer).transpose();
    let starting = starting.map_err(|error| format!("cannot answer probes: {error}"))?;
    let assembling = Box::pin(Service::assemble(config, World::real(), Some(metrics)));
    let Ok(service) = shutdown.unless(assembling).await else {
        tracing::info!("stopped before the start was complete");
        return Ok(());
    };
    if let Some(starting) = starting {
        starting.hand_over().await;
    }
    let service = service.map_err(|fault| fault.to_string())?;
    supervised.on_signal(OnSignal::Stop(config.server.drain_timeout + STUCK));
    match config.log.format {
        LogFormat::Text => greet(config, &listeners, screen),
        LogFormat::Json => greet_machines(config, &listeners),
    }
    Box::pin(service.serve(listeners, shutdown)).await.map_err(|fault| fault.to_string())
}

async fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| format!("cannot listen on {address}: {error}"))
}

fn address(listener: &TcpListener) -> String {
    listener.local_addr().map_or_else(|_| String::new(), |address| address.to_string())
}

fn profile(config: &Config) -> &'static str {
    match config.profile {
        Profile::Dev => "dev",
        Profile::Production => "production",
    }
}

/// With a log for programs, the greeting is one log line.
fn greet_machines(config: &Config, listeners: &Listeners) {
    let operators = listeners.operators.as_ref().map(address);
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        profile = profile(config),
        listen = address(&listeners.calls),
        admin_listen = operators,
        data_dir = %config.data_dir.display(),
        "Countersign has started"
    );
}

fn greet(config: &Config, listeners: &Listeners, screen: &Screen) {
    let (calls, profile) = (address(&listeners.calls), profile(config));
    screen.print(&format!("Countersign {} ({profile})", env!("CARGO_PKG_VERSION")));
    screen.print(&format!("  gRPC and grpc-web   {calls}"));
    if config.browser.pages {
        screen.print(&format!("  sign in             {}sign-in", config.public_url));
    }
    if let Some(listener) = &listeners.operators {
        screen.print(&format!("  operators' listener http://{}/readyz", address(listener)));
        if config.profile == Profile::Dev && config.admin.token.is_none() {
            let file = config.data_dir.join("admin-token");
            screen.print(&format!("  operators' token    {}  (for calls of AuditService)", file.display()));
        }
    }
    screen.print(&format!("  data                {}", config.data_dir.display()));
    if config.smtp_url.is_none() {
        let folder = config.data_dir.join("mail");
        screen.print(&format!("  mail                {}  (to read it: countersign mail show)", folder.display()));
    }
    if config.server.reflection {
        screen.print("Try it:");
        screen.print(&format!(
            "  grpcurl -plaintext \
             -d '{{\"email\": \"ada@example.org\", \"password\": \"seven quiet herons at dusk\"}}' {calls} \
             countersign.v1.AccountService/Register"
        ));
    }
}
