import type { DevMail } from "@countersign/client/dev";
import { useEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../app-context";
import { dateOf } from "../format";
import { linkIn, type MailLink } from "../mail-link";
import { useDoing } from "../ui/action";
import { Field } from "../ui/field";
import { Form, Submit } from "../ui/form";
import { Loading, Sheet } from "../ui/frame";
import { NotFoundPage } from "./not-found";

/** The interval between two polls, in milliseconds. */
const LOOK_EVERY = 2_000;

export function MailboxPage() {
  const { mailbox } = useApp();
  return mailbox ? <Mailbox /> : <NotFoundPage />;
}

function Mailbox() {
  const { texts, account } = useApp();
  const [mails, setMails] = useState<readonly DevMail[]>();
  const recipient = useRef(account.address);
  const look = useDoing(async () => {
    // Only developers open this page, so nobody else has to load its code.
    const { createMailbox } = await import("@countersign/client/dev");
    const answer = await createMailbox({ baseUrl: "/" }).list({ recipient: recipient.current });
    setMails(answer.mails);
  });
  useEffect(() => void look.run(), []);
  useEffect(() => {
    // After a failure, the reader tries again.
    if (look.fault) return;
    const timer = setInterval(() => document.hidden || void look.run(), LOOK_EVERY);
    return () => clearInterval(timer);
  }, [look.fault]);
  const show = async ({ recipient: wanted }: { recipient: string }) => {
    recipient.current = wanted.trim();
    setMails(undefined);
    await look.run();
  };
  return (
    <Sheet title={texts.mailbox.title} wide>
      <p class="lead">{texts.mailbox.lead}</p>
      <Form fields={["recipient"]} optional={["recipient"]} send={show}>
        <Field name="recipient" type="email" autocomplete="off" optional first={recipient.current} hint={texts.mailbox.all} />
        <Submit kind="plain">{texts.mailbox.action}</Submit>
      </Form>
      {mails === undefined || look.fault ? (
        <Loading busy={look.busy} fault={look.fault} again={() => void look.run()} />
      ) : (
        <Mails mails={mails} />
      )}
    </Sheet>
  );
}

function Mails({ mails }: { readonly mails: readonly DevMail[] }) {
  const { texts, format } = useApp();
  if (mails.length === 0) return <p class="loading">{texts.mailbox.none}</p>;
  return (
    <section class="mails" aria-label={texts.mailbox.list}>
      {mails.map(({ mailId, subject, to, text, code, sendTime }) => {
        const link = linkIn(text);
        return (
          <article key={mailId} class="card">
            <h2>{subject}</h2>
            <p class="hint">
              {texts.mailbox.to(to)}
              {sendTime && `, ${format.moment(dateOf(sendTime))}`}
            </p>
            {code && (
              <p>
                {texts.mailbox.code} <strong class="code">{code}</strong>
              </p>
            )}
            {link && <Follow link={link} to={to} />}
            <pre class="mail-text">{text}</pre>
          </article>
        );
      })}
    </section>
  );
}

/**
 * The link as the mail has it, so that it can be copied; when followed, its token does not pass through the address
 * bar.
 */
function Follow({ link: { path, token }, to }: { readonly link: MailLink; readonly to: string }) {
  const { texts, navigation, account } = useApp();
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    account.identifier = to;
    navigation.go(path, { token });
  };
  return (
    <a class="button button-main" href={`${path}#token=${token}`} onClick={follow}>
      <span class="button-text">{texts.mailbox.open}</span>
    </a>
  );
}
