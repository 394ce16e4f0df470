//! Compiles the protos without `protoc`, writes the caller table that stands on their methods, and embeds the account pages.

use prost_reflect::{DescriptorPool, MethodDescriptor};
use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

/// What `npm run build` in `web/account` makes.
const PAGES: &str = "web/account/dist";

const PROTOS: [&str; 7] = [
    "countersign/v1/account_service.proto",
    "countersign/v1/auth_service.proto",
    "countersign/v1/caller.proto",
    DEV_MAILBOX,
    "countersign/v1/error_reason.proto",
    "countersign/v1/session_service.proto",
    "countersign/v1/verification_service.proto",
];

/// What only the `dev` profile serves.
const DEV_MAILBOX: &str = "countersign/v1/dev_mailbox_service.proto";

/// What is served on the operators' listener.
const ADMIN_PROTOS: [&str; 1] = ["countersign/admin/v1/audit_service.proto"];

/// Messages that carry passwords, tokens, codes or mails: prost would print them in clear.
const SECRET_MESSAGES: [&str; 24] = [
    "countersign.v1.RegisterRequest",
    "countersign.v1.VerifyRequest",
    "countersign.v1.ResetRequest",
    "countersign.v1.ResetResponse",
    "countersign.v1.UpdateMeRequest",
    "countersign.v1.ChangePasswordRequest",
    "countersign.v1.RequestEmailChangeRequest",
    "countersign.v1.ConfirmEmailChangeRequest",
    "countersign.v1.DeleteMeRequest",
    "countersign.v1.ExportMeResponse",
    "countersign.v1.LoginRequest",
    "countersign.v1.LoginResponse",
    "countersign.v1.RefreshRequest",
    "countersign.v1.LogoutRequest",
    "countersign.v1.Session",
    "countersign.v1.ResendVerificationRequest",
    "countersign.v1.RequestResetRequest",
    "countersign.v1.DevMail",
    "countersign.v1.IssueServiceTokenRequest",
    "countersign.v1.IssueServiceTokenResponse",
    "countersign.v1.EncryptionKey",
    "countersign.v1.GetVerificationKeysResponse",
    "countersign.v1.IntrospectRequest",
    "countersign.v1.IntrospectResponse",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-changed={PAGES}");
    let out = PathBuf::from(env::var("OUT_DIR")?);

    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).include_source_info(true).open_files(PROTOS)?.open_files(ADMIN_PROTOS)?;
    let described = compiler.encode_file_descriptor_set();

    // Each listener describes what it serves. Reflection carries no comments: they are half of the bytes and nobody reads them
    // over the wire.
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
    fs::write(out.join("callers.rs"), caller_table(&described)?)?;
    fs::write(out.join("silent.rs"), silent_debug())?;
    fs::write(out.join("assets.rs"), embed_pages(&out)?)?;

    tonic_prost_build::configure()
        .build_client(true)
        .skip_debug(SECRET_MESSAGES)
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

/// A `Debug` that says what a message is and nothing of what it holds.
fn silent_debug() -> String {
    let names = SECRET_MESSAGES.iter().filter_map(|message| message.rsplit('.').next());
    names.fold(String::new(), |mut code, name| {
        let _ = writeln!(
            code,
            "impl ::std::fmt::Debug for {name} {{\n    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> \
             ::std::fmt::Result {{\n        f.write_str(\"{name}([secret])\")\n    }}\n}}"
        );
        code
    })
}

/// One line per RPC: its path and who may call it; then those that answer with a stream. An RPC without the option does not
/// compile.
fn caller_table(descriptors: &[u8]) -> Result<String, Box<dyn Error>> {
    let pool = DescriptorPool::decode(descriptors)?;
    let option = pool.get_extension_by_name("countersign.v1.caller").ok_or("caller.proto has no option `caller`")?;
    let rule = |method: &MethodDescriptor| -> Result<&'static str, Box<dyn Error>> {
        let options = method.options();
        match options.get_extension(&option).as_enum_number() {
            Some(1) => Ok("Anyone"),
            Some(2) => Ok("Account"),
            Some(3) => Ok("Development"),
            Some(4) => Ok("Service"),
            Some(5) => Ok("Operator"),
            _ => Err(format!("{} does not say who may call it: add `option (caller) = …`", method.full_name()).into()),
        }
    };
    let mut table = String::from("pub(crate) const CALLERS: &[(&str, CallerRule)] = &[\n");
    let mut lines: Vec<_> = pool
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .map(|method| {
            let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
            rule(&method).map(|rule| (path, rule, method.is_server_streaming()))
        })
        .collect::<Result<_, _>>()?;
    // Sorted, because the table is searched by halving.
    lines.sort();
    for (path, rule, _) in &lines {
        writeln!(table, "    (\"{path}\", CallerRule::{rule}),")?;
    }
    table.push_str("];\n\npub(super) const STREAMS: &[&str] = &[\n");
    for (path, ..) in lines.iter().filter(|(.., is_stream)| *is_stream) {
        writeln!(table, "    \"{path}\",")?;
    }
    table.push_str("];\n");
    Ok(table)
}

/// The shell of the pages, and a table of the files that it loads, each as it is and in gzip.
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
