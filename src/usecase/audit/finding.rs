use super::line::hexadecimal;
use countersign_domain::audit::{Finding, Found, Summary};
use std::{fmt, time::Duration};

/// A finding in words, for operators.
#[derive(Debug)]
pub struct FindingText<'a>(pub &'a Found);

/// The end of a chain, in the form that `audit verify --seen` takes.
pub fn end_of(summary: &Summary) -> String {
    format!("{}:{}", summary.last, hexadecimal(&summary.link))
}

impl fmt::Display for FindingText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found { position, event, finding, .. } = self.0;
        let is_subject = *finding == Finding::SeenForgotten;
        match (position, event) {
            (Some(position), _) if is_subject => write!(f, "position {position} ")?,
            (Some(position), Some(event)) => write!(f, "position {position}  event {event}: ")?,
            (Some(position), None) => write!(f, "position {position}: ")?,
            (None, Some(event)) => write!(f, "event {event}: ")?,
            (None, None) => {}
        }
        write_finding(f, finding)
    }
}

fn write_finding(f: &mut fmt::Formatter<'_>, finding: &Finding) -> fmt::Result {
    match finding {
        Finding::Changed => f.write_str("changed since it was sealed"),
        Finding::Moved { was } => write!(f, "moved here from position {was}"),
        Finding::Missing { up_to } => write!(f, "missing, up to position {up_to}"),
        Finding::CutOff { up_to } => write!(f, "cut off at the end, up to position {up_to}"),
        Finding::Outside => f.write_str("not part of the chain"),
        Finding::MadeUp => f.write_str("not written by this service, or changed before it was sealed"),
        Finding::Unexplained => f.write_str("pseudonymized, but its account was not deleted"),
        Finding::KeyUnknown { key, events } => {
            write!(f, "{events} events from here on were sealed with the unknown key {key}")
        }
        Finding::HeadMissing => f.write_str("the head of the chain is missing"),
        Finding::HeadChanged => f.write_str("the head of the chain was changed"),
        Finding::HeadKeyUnknown => f.write_str("the head of the chain was sealed with an unknown key"),
        Finding::EndDiffers => f.write_str("the end of the chain differs from its head"),
        Finding::Waiting { events, age } => {
            let age = humantime::format_duration(Duration::from_secs(age.as_secs()));
            write!(f, "{events} events wait to be sealed, the oldest for {age}: is `countersign serve` running?")
        }
        Finding::Restarted { behind, why } => write!(
            f,
            "the chain was restarted here, after position {behind}; nothing proves which events followed that position, or \
             preceded the first one ({why})"
        ),
        Finding::NotAsSeen => f.write_str("differs from what `--seen` names"),
        Finding::SeenForgotten => f.write_str(
            "was deleted after its retention, so nothing tells whether it was unchanged: use a newer `--seen`",
        ),
    }
}
