use super::{
    call::Call,
    wire::{self, Fields, proto::*},
};
use crate::mail::{Mailbox, StoredMail};
use crate::usecase::Failure;
use countersign_domain::refusal::Reason;
use std::time::Duration;
use tonic::{Request, Response, Status};

/// `countersign.v1.DevMailboxService`: built only with the `dev` profile.
#[derive(Clone, Debug)]
pub struct DevMailboxHandler {
    pub mailbox: Mailbox,
}

const DEFAULT_PAGE: usize = 20;
const LONGEST_WAIT: Duration = Duration::from_secs(10);

#[tonic::async_trait]
impl dev_mailbox_service_server::DevMailboxService for DevMailboxHandler {
    async fn list(&self, request: Request<ListRequest>) -> Result<Response<ListResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let message = request.into_inner();
            let mut fields = Fields::default();
            let recipient = match message.recipient.as_str() {
                "" => Some(None),
                address => wire::known_email(&mut fields, "recipient", address).map(Some),
            };
            let size = match message.page_size {
                0 => Some(DEFAULT_PAGE),
                size => wire::page_size(&mut fields, size),
            };
            let (recipient, size) = fields.done(recipient.zip(size))?;
            let mails = self.mailbox.list(recipient.as_ref(), size).await;
            let mails = mails.map_err(|error| Failure::Broken(format!("the mailbox cannot be read: {error}")))?;
            Ok(ListResponse { mails: mails.into_iter().map(write_mail).collect() })
        })
        .await
    }

    async fn wait_for(&self, request: Request<WaitForRequest>) -> Result<Response<WaitForResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let message = request.into_inner();
            let mut fields = Fields::default();
            let recipient = wire::known_email(&mut fields, "recipient", &message.recipient);
            let limit = match message.timeout {
                None => Some(LONGEST_WAIT),
                Some(given) => match Duration::try_from(given) {
                    Ok(given) if given <= LONGEST_WAIT => Some(given),
                    _ => {
                        fields.note("timeout", "must be between 0 and 10 seconds");
                        None
                    }
                },
            };
            let (recipient, limit) = fields.done(recipient.zip(limit))?;
            let subject = Some(message.subject_contains.as_str()).filter(|text| !text.is_empty());
            let after = Some(message.after_mail_id.as_str()).filter(|id| !id.is_empty());
            let mail = self.mailbox.wait_for(&recipient, subject, after, limit).await;
            Ok(WaitForResponse { mail: Some(write_mail(mail.ok_or(Reason::MailNotFound)?)) })
        })
        .await
    }
}

fn write_mail(mail: StoredMail) -> DevMail {
    DevMail {
        token: mail.token().unwrap_or_default(),
        code: mail.code().unwrap_or_default(),
        mail_id: mail.id,
        send_time: Some(wire::timestamp(mail.date)),
        from: mail.from,
        to: mail.to,
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
    }
}
