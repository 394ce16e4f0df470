import { useState } from "preact/hooks";
import { useApp } from "../app-context";
import { Claim } from "../ui/claim";
import { Field } from "../ui/field";
import { Form, Submit } from "../ui/form";
import { Link } from "../ui/link";
import { MailNote } from "../ui/mailed";
import type { Proof } from "../ui/proof";

export function VerifyPage() {
  const { texts, countersign } = useApp();
  const verify = async (proof: Proof) => {
    const { passwordLinkMailed } = await countersign.account.verify(proof);
    return passwordLinkMailed ? { text: texts.verify.doneMailed, to: "reset" as const } : undefined;
  };
  return (
    <Claim texts={texts.verify} act={verify}>
      <Resend />
      <p class="more">
        <Link to="register">{texts.verify.otherAddress}</Link>
      </p>
    </Claim>
  );
}

/** The service never tells whether an address waits to be confirmed, and so neither does this. */
function Resend() {
  const { texts, countersign, account, announce } = useApp();
  const [sentTo, setSentTo] = useState<string>();
  const resend = async ({ email }: { email: string }, captchaToken: string) => {
    await countersign.account.resendVerification({ email, captchaToken });
    account.identifier = email;
    setSentTo(email);
    announce(texts.mail.again(email));
  };
  return (
    <details class="more">
      <summary>{texts.verify.resendTitle}</summary>
      {sentTo && <MailNote text={texts.mail.again(sentTo)} />}
      <Form fields={["email"]} send={resend}>
        <Field name="email" type="email" autocomplete="email" first={account.address} />
        <Submit kind="plain">{texts.verify.resend}</Submit>
      </Form>
    </details>
  );
}
