import { useState } from "preact/hooks";
import { useApp } from "../app-context";
import { Link } from "./link";
import { Note } from "./note";

/** Says that a mail was sent, if the previous page has just requested it; otherwise shows `otherwise`. */
export function Mailed({ otherwise }: { readonly otherwise: string }) {
  const { account, texts } = useApp();
  const [{ mailed, address }] = useState(() => {
    const { mailed, address } = account;
    account.mailed = undefined;
    return { mailed, address };
  });
  return mailed ? <MailNote text={texts.mail[mailed](address)} /> : <p class="lead">{otherwise}</p>;
}

/** Says that a mail was sent, and in development where to read it. */
export function MailNote({ text }: { readonly text: string }) {
  const { mailbox, texts } = useApp();
  return (
    <Note tone="good">
      <p>{text}</p>
      <p class="aside">{texts.mail.patience}</p>
      {mailbox && (
        <p>
          <Link to="mailbox">{texts.mail.look}</Link>
        </p>
      )}
    </Note>
  );
}
