import type { Challenge } from "@countersign/client";
import { useApp } from "../app-context";
import { Field } from "./field";
import { Form, Submit } from "./form";
import { inLogin, LoginStep, type LoginStepProps } from "./login-step";
import { Link } from "./link";

export interface EmailCodeStepProps extends LoginStepProps {
  readonly next: (challenge: Challenge) => void;
}

/** Asks for the code that was mailed. */
export function EmailCodeStep({ challenge, end, next }: EmailCodeStepProps) {
  const { texts, countersign, mailbox } = useApp();
  const { emailCode: own } = texts;
  const prove = async ({ email_code }: { email_code: string }) => {
    const asked = await inLogin(end, () => countersign.proveEmail(email_code));
    if (asked) next(asked);
  };
  return (
    <LoginStep challenge={challenge} end={end} lead={own.lead}>
      <Form fields={["email_code"]} send={prove}>
        <Field name="email_code" autocomplete="one-time-code" code="digits" hint={own.hint} focused />
        <Submit>{own.action}</Submit>
      </Form>
      <p class="aside">{texts.mail.patience}</p>
      {mailbox && (
        <p>
          <Link to="mailbox">{texts.mail.look}</Link>
        </p>
      )}
    </LoginStep>
  );
}
