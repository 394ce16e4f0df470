import { useEffect } from "preact/hooks";
import { useApp } from "../app-context";
import { Field, PasswordField } from "../ui/field";
import { Form, Submit } from "../ui/form";
import { Sheet } from "../ui/frame";
import { Link } from "../ui/link";

export function SignInPage() {
  const { texts, countersign, presence, account } = useApp();
  useEffect(() => {
    // Where this browser keeps no note, only the service knows whether somebody is signed in.
    if (countersign.signedIn === undefined) account.load().then(() => presence.arrive(), () => {});
  }, []);
  const signIn = async ({ identifier, password }: Record<"identifier" | "password", string>, captchaToken: string) => {
    await countersign.login({ identifier, password, captchaToken });
    presence.arrive();
  };
  return (
    <Sheet title={texts.signIn.title}>
      <Form fields={["identifier", "password"]} send={signIn}>
        <Field
          name="identifier"
          autocomplete="username"
          first={account.identifier}
          onType={(text) => (account.identifier = text)}
        />
        <PasswordField name="password" autocomplete="current-password" />
        <Submit>{texts.signIn.action}</Submit>
      </Form>
      <p>
        <Link to="forgotPassword">{texts.signIn.forgot}</Link>
      </p>
      <p class="more">
        {texts.signIn.noAccount} <Link to="register">{texts.signIn.register}</Link>
      </p>
    </Sheet>
  );
}
