//! The texts of the mails: templates inside the binary, each of which an operator's file may replace.

use super::{built_in::BUILT_IN, words};
use countersign_domain::{locale::Locale, mail::MailTemplate, secret::SecretText, time::Timestamp};
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value};
use std::{
    collections::BTreeMap,
    fmt,
    io::Read,
    path::{Path, PathBuf},
    time::Duration,
};
use zeroize::Zeroizing;

/// The variables of templates. `link`, `code` and their lifetimes are defined only when a mail has them; `device`,
/// `country`, `client_address`, `codes_left` and `new_address` are `none` when it has none.
const VARIABLES: &str = "product, address, request_url, occurred_at, device, country, client_address, codes_left, new_address, link, link_life, code, \
                         code_life, lang, subject (in HTML)";

/// The most bytes of an operator's template.
const MAX_TEMPLATE_BYTES: u64 = 256 * 1024;

/// The most characters of a subject; mail programs show fewer.
const MAX_SUBJECT_CHARACTERS: usize = 200;

/// What the trial at start searches for. The end of the link needs no HTML escape.
const TRIAL_LINK_END: &str = "trial-link";
const TRIAL_CODE: &str = "0123 4567";

/// The values in a mail. Templates decide where they are; an unauthenticated caller can choose none of them freely.
#[derive(Clone, Debug)]
pub struct MailValues {
    /// The name of the product, from the configuration.
    pub product: String,
    /// The address that the mail is about and is sent to.
    pub address: String,
    /// The link, in mails that ask for an action.
    pub link: Option<SecretText>,
    /// How long the link is valid.
    pub link_life: Option<Duration>,
    /// The code beside the link, as it is shown.
    pub code: Option<SecretText>,
    /// How long the code is valid.
    pub code_life: Option<Duration>,
    /// The new address of an account.
    pub new_address: Option<String>,
    /// When the event happened.
    pub occurred_at: Timestamp,
    /// The device of the event; reduced to plain words before it is shown.
    pub device: Option<String>,
    /// The country of the event, as its code.
    pub place: Option<String>,
    /// The network address of the event.
    pub client_address: Option<String>,
    /// How many backup codes are left.
    pub codes_left: Option<String>,
    /// The public URL, only from the configuration: no request can change it.
    pub request_url: String,
}

/// The texts of a mail. They contain links and codes, so they are wiped when dropped and have no `Debug` output.
#[derive(Clone, Debug)]
pub struct Rendered {
    locale: Locale,
    subject: SecretText,
    text: SecretText,
    html: SecretText,
}

impl Rendered {
    /// The language of the texts.
    pub fn locale(&self) -> Locale {
        self.locale
    }

    /// One line, never empty.
    pub fn subject(&self) -> &str {
        self.subject.reveal()
    }

    /// The plain text, with LF at the end of each line.
    pub fn text(&self) -> &str {
        self.text.reveal()
    }

    /// The HTML document.
    pub fn html(&self) -> &str {
        self.html.reveal()
    }

    /// Total bytes of the texts.
    pub(super) fn len(&self) -> usize {
        self.subject().len() + self.text().len() + self.html().len()
    }
}

/// What is wrong with a template, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateFault {
    /// The operator's file, or the name of a built-in template.
    pub file: String,
    /// The line, counted from one, where it is known.
    pub line: Option<usize>,
    /// What is wrong. Never contains a value of a real mail.
    pub detail: String,
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mail template {}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.detail)
    }
}

impl std::error::Error for TemplateFault {}

/// Renders mails.
#[derive(Debug)]
pub struct Renderer {
    environment: Environment<'static>,
    overrides: BTreeMap<&'static str, PathBuf>,
}

impl Renderer {
    /// Compiles every template and renders each once, so that a broken one stops the start and not a mail.
    ///
    /// `overrides` is a folder with files of the same relative names as the built-in templates; each replaces one.
    ///
    /// # Errors
    /// When the folder cannot be read, contains a `.txt` or `.html` file that replaces nothing, or a template is
    /// broken.
    pub fn new(overrides: Option<&Path>) -> Result<Self, TemplateFault> {
        let mut renderer = Self { environment: strict_environment(), overrides: BTreeMap::new() };
        for &(name, source) in BUILT_IN {
            renderer.add(name, source.to_owned())?;
        }
        if let Some(folder) = overrides {
            refuse_strays(folder)?;
            for &(name, _) in BUILT_IN {
                let path = folder.join(name);
                if let Some(source) = read_override(&path)? {
                    renderer.overrides.insert(name, path);
                    renderer.add(name, source)?;
                }
            }
        }
        renderer.try_all()?;
        Ok(renderer)
    }

    /// The texts of one mail. Only templates that ask for an action get `link` and `code`.
    ///
    /// # Errors
    /// When a value that the template needs is missing.
    pub fn render(
        &self,
        template: MailTemplate,
        locale: Locale,
        values: &MailValues,
    ) -> Result<Rendered, TemplateFault> {
        // The engine's explanation could contain a value: for a real mail only kind and position are reported.
        self.render_explaining(template, locale, values, |error| error.kind().to_string())
    }

    fn render_explaining(
        &self,
        template: MailTemplate,
        locale: Locale,
        values: &MailValues,
        explain: fn(&minijinja::Error) -> String,
    ) -> Result<Rendered, TemplateFault> {
        let name = |extension: &str| format!("{}/{}.{extension}", locale.tag(), template.name());
        let fault =
            |file: &str, detail: &str| TemplateFault { file: self.shown(file), line: None, detail: detail.into() };
        if asks_for_action(template) && values.link.is_none() && values.code.is_none() {
            return Err(fault(&name("txt"), "this mail needs a link or a code"));
        }
        let mut context = context(template, locale, values);
        let fill = |file: &str, context: &BTreeMap<&'static str, Value>| {
            let filled = self.environment.get_template(file).and_then(|found| found.render(context));
            filled.map(Zeroizing::new).map_err(|error| self.fault(file, &error, explain))
        };
        let text = Zeroizing::new(tidy(&fill(&name("txt"), &context)?));
        let (subject, text) = text.split_once("\n\n").unwrap_or_default();
        if subject.is_empty() || subject.contains('\n') {
            return Err(fault(&name("txt"), "the first line must be the subject, and the second one empty"));
        }
        let subject: String = subject.chars().take(MAX_SUBJECT_CHARACTERS).collect();
        context.insert("subject", Value::from(subject.as_str()));
        let mut html = fill(&name("html"), &context)?;
        Ok(Rendered {
            locale,
            subject: SecretText::new(subject),
            text: SecretText::new(text.to_owned()),
            html: SecretText::new(std::mem::take(&mut *html)),
        })
    }

    fn add(&mut self, name: &'static str, source: String) -> Result<(), TemplateFault> {
        let added = self.environment.add_template_owned(name, source);
        added.map_err(|error| self.fault(name, &error, explain_fully))
    }

    /// Renders every template with and without the values that a mail may lack.
    fn try_all(&self) -> Result<(), TemplateFault> {
        for template in MailTemplate::ALL {
            for locale in Locale::ALL {
                for values in [trial_values(Some("trial@example.org".to_owned())), trial_values(None)] {
                    let rendered = self.render_explaining(template, locale, &values, explain_fully)?;
                    for (extension, body) in [("txt", rendered.text()), ("html", rendered.html())] {
                        if asks_for_action(template) && !body.contains(TRIAL_LINK_END) && !body.contains(TRIAL_CODE) {
                            let file = self.suspect(&format!("{}/{}.{extension}", locale.tag(), template.name()));
                            let detail = "shows neither the link nor the code".to_owned();
                            return Err(TemplateFault { file, line: None, detail });
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn fault(&self, file: &str, error: &minijinja::Error, explain: fn(&minijinja::Error) -> String) -> TemplateFault {
        // The position of an error inside `extends` or `include` is in its source.
        let mut place = error;
        while let Some(deeper) = std::error::Error::source(place).and_then(|source| source.downcast_ref()) {
            place = deeper;
        }
        TemplateFault { file: self.shown(place.name().unwrap_or(file)), line: place.line(), detail: explain(place) }
    }

    fn shown(&self, name: &str) -> String {
        self.overrides.get(name).map_or_else(|| format!("{name} (built in)"), |path| path.display().to_string())
    }

    /// The operator's file that most likely broke this template: itself, its frame or the base of all.
    fn suspect(&self, name: &str) -> String {
        let (folder, extension) = (name.split('/').next().unwrap_or(name), name.rsplit('.').next().unwrap_or(name));
        let chain = [name.to_owned(), format!("{folder}/frame.{extension}"), format!("base.{extension}")];
        let overridden = chain.iter().find(|link| self.overrides.contains_key(link.as_str()));
        self.shown(overridden.map_or(name, String::as_str))
    }
}

/// Whether the mail asks for an action by link or code. No other mail ever contains one.
fn asks_for_action(template: MailTemplate) -> bool {
    match template {
        MailTemplate::VerifyAddress
        | MailTemplate::AccountCreated
        | MailTemplate::ResetPassword
        | MailTemplate::ConfirmNewAddress
        | MailTemplate::LoginCode => true,
        MailTemplate::AlreadyRegistered
        | MailTemplate::AddressInUse
        | MailTemplate::AddressChanged
        | MailTemplate::PasswordChanged
        | MailTemplate::UsernameChanged
        | MailTemplate::SessionReused
        | MailTemplate::NewLogin
        | MailTemplate::ClientChanged
        | MailTemplate::PasswordDisabled
        | MailTemplate::FactorAdded
        | MailTemplate::FactorRemoved
        | MailTemplate::PasskeyAdded
        | MailTemplate::PasskeyRemoved
        | MailTemplate::PasskeyCopied
        | MailTemplate::FactorsReset
        | MailTemplate::BackupCodesRegenerated
        | MailTemplate::BackupCodeUsed
        | MailTemplate::SecondFactorFailed
        | MailTemplate::FactorLocked
        | MailTemplate::AccountDeleted => false,
    }
}

fn trial_values(optional: Option<String>) -> MailValues {
    MailValues {
        product: "Product".into(),
        address: "ada@example.org".into(),
        link: Some(SecretText::new(format!("https://example.org/{TRIAL_LINK_END}"))),
        link_life: Some(Duration::from_secs(86_400)),
        code: Some(SecretText::new(TRIAL_CODE.into())),
        code_life: Some(Duration::from_secs(600)),
        new_address: optional.clone(),
        occurred_at: Timestamp::default(),
        device: optional.clone(),
        place: optional.clone(),
        client_address: optional.clone(),
        codes_left: optional,
        request_url: "https://example.org".into(),
    }
}

fn strict_environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|name| match name.ends_with(".html") {
        true => AutoEscape::Html,
        false => AutoEscape::None,
    });
    environment
}

fn context(template: MailTemplate, locale: Locale, values: &MailValues) -> BTreeMap<&'static str, Value> {
    let or_none = |text: Option<String>| text.map_or(Value::from(()), Value::from);
    let mut context = BTreeMap::from([
        ("lang", Value::from(locale.tag())),
        ("product", Value::from(words::one_line(&values.product))),
        ("address", Value::from(words::one_line(&values.address))),
        ("request_url", Value::from(words::one_line(&values.request_url))),
        ("occurred_at", Value::from(words::moment(values.occurred_at, locale))),
        ("device", or_none(values.device.as_deref().and_then(words::device))),
        ("country", or_none(values.place.as_deref().map(words::one_line))),
        ("client_address", or_none(values.client_address.as_deref().map(words::one_line))),
        ("codes_left", or_none(values.codes_left.as_deref().map(words::one_line))),
        ("new_address", or_none(values.new_address.as_deref().map(words::one_line))),
    ]);
    if asks_for_action(template) {
        let secrets = [("link", &values.link), ("code", &values.code)];
        let lives = [("link_life", values.link_life), ("code_life", values.code_life)];
        for (name, secret) in secrets {
            context.extend(secret.as_ref().map(|secret| (name, Value::from(words::one_line(secret.reveal())))));
        }
        for (name, life) in lives {
            context.extend(life.map(|life| (name, Value::from(words::life(life, locale)))));
        }
    }
    context
}

/// Lines without trailing blanks, at most one empty line in a row, and no control character but LF.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len() + 1);
    for line in text.trim().lines() {
        let line = words::one_line(line);
        let line = line.trim_end();
        if line.is_empty() && tidied.ends_with("\n\n") {
            continue;
        }
        tidied.push_str(line);
        tidied.push('\n');
    }
    tidied
}

fn explain_fully(error: &minijinja::Error) -> String {
    let kind = error.kind();
    match (kind, error.detail()) {
        (ErrorKind::UndefinedError, _) => format!("undefined value; there are: {VARIABLES}"),
        (_, Some(detail)) => format!("{kind}: {detail}"),
        (_, None) => kind.to_string(),
    }
}

/// `None` when the file does not exist.
fn read_override(path: &Path) -> Result<Option<String>, TemplateFault> {
    let fault = |detail: String| TemplateFault { file: path.display().to_string(), line: None, detail };
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault(error.to_string())),
    };
    let mut source = String::new();
    file.take(MAX_TEMPLATE_BYTES + 1).read_to_string(&mut source).map_err(|error| fault(error.to_string()))?;
    if source.len() as u64 > MAX_TEMPLATE_BYTES {
        return Err(fault("has more than 256 KiB".into()));
    }
    Ok(Some(source))
}

/// Without this check, a file with a misspelt name would replace nothing.
fn refuse_strays(folder: &Path) -> Result<(), TemplateFault> {
    let fault = |path: &Path, detail: String| TemplateFault { file: path.display().to_string(), line: None, detail };
    let languages = Locale::ALL.map(|locale| format!("{}/", locale.tag()));
    for prefix in std::iter::once(String::new()).chain(languages) {
        let place = folder.join(&prefix);
        let entries = match std::fs::read_dir(&place) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !prefix.is_empty() => continue,
            Err(error) => return Err(fault(&place, error.to_string())),
        };
        for entry in entries {
            let entry = entry.map_err(|error| fault(&place, error.to_string()))?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let looks_like_a_template = name.ends_with(".txt") || name.ends_with(".html");
            if looks_like_a_template && !BUILT_IN.iter().any(|(known, _)| *known == name) {
                return Err(fault(&entry.path(), "replaces no built-in template".into()));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
