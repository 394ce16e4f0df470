import { useApp } from "../app-context";
import { PATHS } from "../routes";
import { Field } from "../ui/field";
import { Form, Submit } from "../ui/form";
import { Sheet } from "../ui/frame";
import { Link } from "../ui/link";

export function ForgotPasswordPage() {
  const { texts, countersign, account, navigation, place } = useApp();
  const ask = async ({ email }: { email: string }, captchaToken: string) => {
    await countersign.account.requestReset({ email, captchaToken });
    account.identifier = email;
    account.mailed = "sentIfKnown";
    navigation.go(PATHS.reset, { from: place });
  };
  return (
    <Sheet title={texts.forgot.title}>
      <p class="lead">{texts.forgot.lead}</p>
      <Form fields={["email"]} send={ask}>
        <Field name="email" type="email" autocomplete="email" first={account.address} onType={(text) => (account.identifier = text)} />
        <Submit>{texts.forgot.action}</Submit>
      </Form>
      <p>
        <Link to="reset">{texts.forgot.haveCode}</Link>
      </p>
      <p class="more">
        <Link to="signIn">{texts.forgot.back}</Link>
      </p>
    </Sheet>
  );
}
