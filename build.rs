//! Compiles the protos without `protoc`, generates the tables of their options, and embeds the account pages.

use prost_reflect::{DescriptorPool, DynamicMessage, EnumDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value};
use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

/// The output of `npm run build` in `web/account`.
const PAGES: &str = "web/account/dist";

const PROTOS: [&str; 8] = [
    "countersign/v1/account_service.proto",
    "countersign/v1/auth_service.proto",
    "countersign/v1/contract.proto",
    DEV_MAILBOX,
    "countersign/v1/error_reason.proto",
    "countersign/v1/factor_service.proto",
    "countersign/v1/session_service.proto",
    "countersign/v1/verification_service.proto",
];

/// Served in the `dev` profile only.
const DEV_MAILBOX: &str = "countersign/v1/dev_mailbox_service.proto";

/// Served on the operators' listener.
const ADMIN_PROTOS: [&str; 1] = ["countersign/admin/v1/audit_service.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-changed={PAGES}");
    let out = PathBuf::from(env::var("OUT_DIR")?);

    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).include_source_info(true).open_files(PROTOS)?.open_files(ADMIN_PROTOS)?;
    let described = compiler.encode_file_descriptor_set();

    // Each listener describes the services on it. Reflection omits comments: they are half of the bytes, and nobody
    // reads them over the wire.
    let without_dev_mailbox: Vec<&str> = PROTOS.into_iter().filter(|proto| *proto != DEV_MAILBOX).collect();
    for (name, protos) in [
        ("dev_reflection.bin", &PROTOS[..]),
        ("reflection.bin", &without_dev_mailbox),
        ("admin_reflection.bin", &ADMIN_PROTOS),
    ] {
        let mut bare = protox::Compiler::new(["proto"])?;
        bare.include_imports(true).open_files(protos)?;
        fs::write(out.join(name), bare.encode_file_descriptor_set())?;
    }
    let pool = DescriptorPool::decode(described.as_slice())?;
    let secret_messages = secret_messages(&pool)?;
    fs::write(out.join("methods.rs"), method_table(&pool)?)?;
    fs::write(out.join("services.rs"), service_names(&pool, &without_dev_mailbox))?;
    fs::write(out.join("silent.rs"), silent_debug(&secret_messages))?;
    fs::write(out.join("assets.rs"), embed_pages(&out)?)?;

    tonic_prost_build::configure()
        .build_client(true)
        .skip_debug(&secret_messages)
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

/// The messages with a secret field, and those that contain such a message: prost would print them in clear.
fn secret_messages(pool: &DescriptorPool) -> Result<Vec<String>, Box<dyn Error>> {
    let ours: Vec<_> =
        pool.all_messages().filter(|message| message.package_name().starts_with("countersign.")).collect();
    let mut secret = Vec::new();
    loop {
        let before = secret.len();
        for message in &ours {
            let name = message.full_name().to_owned();
            if !secret.contains(&name) && is_secret(message, &secret)? {
                secret.push(name);
            }
        }
        if secret.len() == before {
            return Ok(secret);
        }
    }
}

fn is_secret(message: &MessageDescriptor, secret: &[String]) -> Result<bool, Box<dyn Error>> {
    for field in message.fields() {
        let options: DynamicMessage = field.options();
        let redacted = options.get_field_by_name("debug_redact").ok_or("protox knows no debug_redact")?;
        let holds = matches!(field.kind(), Kind::Message(inner) if secret.iter().any(|name| name == inner.full_name()));
        if holds || redacted.as_bool() == Some(true) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A `Debug` that prints the name of a message and none of its fields.
fn silent_debug(secret_messages: &[String]) -> String {
    // The operators' messages are generated in a module of their own, and contain no secret.
    let names = secret_messages.iter().filter_map(|message| message.strip_prefix("countersign.v1."));
    names.fold(String::new(), |mut code, name| {
        let _ = writeln!(
            code,
            "impl ::std::fmt::Debug for {name} {{\n    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> \
             ::std::fmt::Result {{\n        f.write_str(\"{name}([secret])\")\n    }}\n}}"
        );
        code
    })
}

/// One line for each RPC, with its options. The build fails for an RPC that does not say who may call it.
fn method_table(pool: &DescriptorPool) -> Result<String, Box<dyn Error>> {
    let mut lines: Vec<_> = pool
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .map(|method| Ok((format!("/{}/{}", method.parent_service().full_name(), method.name()), line(pool, &method)?)))
        .collect::<Result<_, Box<dyn Error>>>()?;
    // Sorted for binary search.
    lines.sort();
    let mut table = String::from("pub(crate) const METHODS: &[Method] = &[\n");
    for (path, line) in &lines {
        writeln!(table, "    Method {{ path: \"{path}\", {line} }},")?;
    }
    table.push_str("];\n");
    Ok(table)
}

/// The services of each listener, for the health service. The dev mailbox has no health of its own.
fn service_names(pool: &DescriptorPool, public: &[&str]) -> String {
    let list = |constant, protos: &[&str]| {
        let files = pool.services().filter(|service| protos.contains(&service.parent_file().name()));
        let mut names: Vec<_> = files.map(|service| service.full_name().to_owned()).collect();
        names.sort();
        format!("pub(super) const {constant}: &[&str] = &{names:?};\n")
    };
    list("SERVICES", public) + &list("ADMIN_SERVICES", &ADMIN_PROTOS)
}

fn line(pool: &DescriptorPool, method: &MethodDescriptor) -> Result<String, Box<dyn Error>> {
    let option =
        pool.get_extension_by_name("countersign.v1.contract").ok_or("contract.proto has no option `contract`")?;
    let options = method.options();
    let contract = options.get_extension(&option);
    let contract = contract.as_message().ok_or("the option `contract` is no message")?;
    let field = |name| contract.get_field_by_name(name).ok_or_else(|| format!("a contract has no `{name}`"));
    let rule = match field("caller")?.as_enum_number() {
        Some(1) => "Anyone",
        Some(2) => "Account",
        Some(3) => "Development",
        Some(4) => "Service",
        Some(5) => "Operator",
        Some(6) => "AccountOrChallenge",
        _ => return Err(format!("{} does not say who may call it: add `option (contract)`", method.full_name()).into()),
    };
    let named = pool.get_enum_by_name("countersign.v1.ErrorReason").ok_or("there is no ErrorReason")?;
    let reasons = field("reasons")?;
    let reasons = reasons.as_list().ok_or("`reasons` is no list")?;
    let reasons: Vec<_> = reasons.iter().map(|reason| variant(&named, reason)).collect::<Result<_, _>>()?;
    let ends_session = field("ends_session")?.as_bool() == Some(true);
    let from_feed = field("from_feed")?.as_bool() == Some(true);
    let fresh_proof = field("fresh_proof")?.as_bool() == Some(true);
    let idempotency = match options.get_field_by_name("idempotency_level").and_then(|level| level.as_enum_number()) {
        Some(1) => "NoSideEffects",
        Some(2) => "Idempotent",
        _ if method.input().get_field_by_name("request_id").is_some() => "ByRequestId",
        _ => "Unknown",
    };
    Ok(format!(
        "requirement: Requirement {{ caller: CallerRule::{rule}, permission: None, from_feed: {from_feed}, fresh_proof: {fresh_proof} }}, reasons: &[{}], idempotency: Idempotency::{idempotency}, ends_session: \
         {ends_session}, is_stream: {}",
        reasons.join(", "),
        method.is_server_streaming(),
    ))
}

/// `ERROR_REASON_LINK_USED` becomes `Reason::LinkUsed`.
fn variant(named: &EnumDescriptor, reason: &Value) -> Result<String, Box<dyn Error>> {
    let number = reason.as_enum_number().ok_or("a reason is no value of an enum")?;
    let value = named.get_value(number).ok_or_else(|| format!("there is no reason {number}"))?;
    let name = value.name().strip_prefix("ERROR_REASON_").ok_or("a reason has another prefix")?;
    let words = name.split('_').map(|word| {
        let (first, rest) = word.split_at(1);
        format!("{first}{}", rest.to_lowercase())
    });
    Ok(format!("Reason::{}", words.collect::<String>()))
}

/// The HTML of the pages, and a table of the files that it loads, each as it is and compressed with gzip.
fn embed_pages(out: &Path) -> Result<String, Box<dyn Error>> {
    let dist = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join(PAGES);
    let shell = dist.join("index.html");
    let mut code = format!("pub(super) const SHELL: &str = include_str!({shell:?});\n\n");
    code.push_str("pub(super) const ALL: &[Asset] = &[\n");
    let mut files = fs::read_dir(dist.join("assets"))?.collect::<Result<Vec<_>, _>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    for file in files {
        let name = file.file_name().into_string().map_err(|name| format!("{} is no name of a file", name.display()))?;
        let content_type = match name.rsplit_once('.').map(|(_, kind)| kind) {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => return Err(format!("{PAGES}/assets/{name}: what kind of file is this?").into()),
        };
        let zipped = out.join(format!("{name}.gz"));
        let mut gzip = flate2::write::GzEncoder::new(fs::File::create(&zipped)?, flate2::Compression::best());
        gzip.write_all(&fs::read(file.path())?)?;
        gzip.finish()?;
        writeln!(
            code,
            "    Asset {{ path: \"/assets/{name}\", content_type: {content_type:?}, plain: include_bytes!({:?}), gzip: \
             include_bytes!({zipped:?}) }},",
            file.path()
        )?;
    }
    code.push_str("];\n");
    Ok(code)
}
