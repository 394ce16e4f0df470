import { useApp } from "../app-context";
import { PATHS } from "../routes";
import { Field, PasswordField } from "../ui/field";
import { Form, Submit } from "../ui/form";
import { Sheet } from "../ui/frame";
import { Link } from "../ui/link";

export function RegisterPage() {
  const { texts, countersign, account, navigation, place, language } = useApp();
  type Filled = Record<"email" | "password" | "display_name" | "username", string>;
  const register = async ({ email, password, display_name: displayName, username }: Filled, captchaToken: string) => {
    await countersign.account.register({ email, password, displayName, username, locale: language, captchaToken });
    account.identifier = email;
    account.mailed = "sent";
    account.wish(email, username);
    navigation.go(PATHS.verify, { from: place });
  };
  return (
    <Sheet title={texts.register.title}>
      <Form fields={["email", "password", "display_name", "username"]} optional={["display_name", "username"]} send={register}>
        {/* What the person will sign in with is the user name that password managers keep. */}
        <Field name="email" type="email" autocomplete="username" first={account.address} onType={(text) => (account.identifier = text)} />
        <PasswordField name="password" autocomplete="new-password" hint={texts.hints.newPassword} />
        <Field name="display_name" autocomplete="name" optional hint={texts.hints.displayName} />
        <Field name="username" autocomplete="off" optional hint={texts.hints.username} />
        <Submit>{texts.register.action}</Submit>
      </Form>
      <p class="more">
        {texts.register.haveAccount} <Link to="signIn">{texts.signIn.title}</Link>
      </p>
    </Sheet>
  );
}
