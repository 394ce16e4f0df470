import { useState } from "preact/hooks";
import { useApp } from "../app-context";
import { Claim, type Outcome } from "../ui/claim";
import { Field } from "../ui/field";
import { Form, Submit } from "../ui/form";
import { Link } from "../ui/link";
import { MailNote } from "../ui/mailed";
import type { Proof } from "../ui/proof";
import { verifiedText } from "../verified";

export function VerifyPage() {
  const { texts, countersign, account } = useApp();
  const verify = async (proof: Proof): Promise<Outcome> => {
    const { passwordLinkMailed, username } = await countersign.account.verify(proof);
    const verified = { passwordLinkMailed, username, wish: account.takeWish("email" in proof ? proof.email : undefined) };
    return { say: ({ verify }) => verifiedText(verified, verify), to: passwordLinkMailed ? "reset" : undefined };
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

/** The service never reveals whether an address waits to be confirmed, and so neither does this page. */
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
