import type { Challenge, LoginProof } from "@countersign/client";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../app-context";
import { EmailCodeStep } from "../ui/email-code-step";
import { EnrolStep } from "../ui/enrol-step";
import { Field, PasswordField, Tick } from "../ui/field";
import { Form, Submit } from "../ui/form";
import { Sheet } from "../ui/frame";
import { Link } from "../ui/link";
import { inLogin, LoginStep, type Ended, type LoginStepProps } from "../ui/login-step";
import { FaultNote } from "../ui/note";
import { PasskeySignIn } from "../ui/passkey-sign-in";
import { SecondFactor } from "../ui/second-factor";

export function SignInPage() {
  const { texts, countersign, presence, account } = useApp();
  const [challenge, setChallenge] = useState<Challenge>();
  const [ended, setEnded] = useState<Ended>();
  useEffect(() => {
    // Where this browser keeps no note, only the service knows whether somebody is signed in.
    if (countersign.signedIn === undefined) account.load().then(() => presence.arrive(), () => {});
  }, []);
  const end = (how: Ended) => {
    setEnded(how);
    setChallenge(undefined);
  };
  if (challenge === undefined) {
    return (
      <Sheet title={texts.signIn.title}>
        <FirstStep ended={ended} challenged={setChallenge} />
      </Sheet>
    );
  }
  if (challenge.methods.includes("EMAIL_CODE")) {
    return (
      <Sheet title={texts.emailCode.title}>
        <EmailCodeStep challenge={challenge} end={end} next={setChallenge} />
      </Sheet>
    );
  }
  if (challenge.methods.includes("ENROL")) {
    return (
      <Sheet title={texts.enrol.title}>
        <EnrolStep challenge={challenge} end={end} />
      </Sheet>
    );
  }
  return (
    <Sheet title={texts.secondStep.title}>
      <SecondStep challenge={challenge} end={end} />
    </Sheet>
  );
}

interface FirstStepProps {
  readonly ended: Ended | undefined;
  readonly challenged: (challenge: Challenge) => void;
}

/** The password, or a passkey in its place. */
function FirstStep({ ended, challenged }: FirstStepProps) {
  const { texts, countersign, presence, account } = useApp();
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (ended === "restarted") place.current?.querySelector("input")?.focus();
  }, []);
  const signIn = async ({ identifier, password }: Record<"identifier" | "password", string>, captchaToken: string) => {
    const { challenge } = await countersign.login({ identifier, password, captchaToken });
    if (challenge) challenged(challenge);
    else presence.arrive();
  };
  return (
    <>
      {ended && ended !== "restarted" && <FaultNote fault={ended} />}
      <div ref={place}>
        <Form fields={["identifier", "password"]} send={signIn}>
          <Field
            name="identifier"
            autocomplete="username webauthn"
            first={account.identifier}
            onType={(text) => (account.identifier = text)}
          />
          <PasswordField name="password" autocomplete="current-password" />
          <Submit>{texts.signIn.action}</Submit>
        </Form>
      </div>
      <p>
        <Link to="forgotPassword">{texts.signIn.forgot}</Link>
      </p>
      <PasskeySignIn />
      <p class="more">
        {texts.signIn.noAccount} <Link to="register">{texts.signIn.register}</Link>
      </p>
    </>
  );
}

/** The second factor. */
function SecondStep({ challenge, end }: LoginStepProps) {
  const { texts, format, countersign, presence } = useApp();
  const [rememberDevice, setRememberDevice] = useState(false);
  const { methods, rememberFor } = challenge;
  const complete = async (proof: LoginProof) => {
    if (await inLogin(end, () => countersign.completeLogin(proof, { rememberDevice }))) presence.arrive();
  };
  return (
    <LoginStep challenge={challenge} end={end} lead={texts.secondStep.lead}>
      <SecondFactor methods={methods} action={texts.signIn.action} send={complete}>
        {rememberFor !== undefined && (
          <Tick ticked={rememberDevice} onTick={setRememberDevice}>
            {texts.secondStep.remember(format.span(rememberFor))}
          </Tick>
        )}
      </SecondFactor>
    </LoginStep>
  );
}
