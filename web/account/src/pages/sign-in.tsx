import type { Challenge, LoginProof } from "@countersign/client";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../app-context";
import { faultFor, faultOf, type Fault, type Told } from "../faults";
import { Field, PasswordField, Tick } from "../ui/field";
import { Form, Submit } from "../ui/form";
import { Sheet } from "../ui/frame";
import { Link } from "../ui/link";
import { FaultNote } from "../ui/note";
import { PasskeySignIn } from "../ui/passkey-sign-in";
import { SecondFactor } from "../ui/second-factor";

/** The reasons for which a login begins again with the password. */
const ENDING: ReadonlySet<Told> = new Set<Told>([
  "CHALLENGE_INVALID",
  "CREDENTIALS_INVALID",
  "TOKEN_MISSING",
  "COOKIES_NOT_KEPT",
  "COOKIES_NEED_HTTPS",
]);

export function SignInPage() {
  const { texts, countersign, presence, account } = useApp();
  const [challenge, setChallenge] = useState<Challenge>();
  /** How the second step ended: by a fault, or by the person. */
  const [ended, setEnded] = useState<Fault | "restarted">();
  useEffect(() => {
    // Where this browser keeps no note, only the service knows whether somebody is signed in.
    if (countersign.signedIn === undefined) account.load().then(() => presence.arrive(), () => {});
  }, []);
  const end = (how: Fault | "restarted") => {
    setEnded(how);
    setChallenge(undefined);
  };
  return (
    <Sheet title={challenge ? texts.secondStep.title : texts.signIn.title}>
      {challenge ? (
        <SecondStep challenge={challenge} end={end} />
      ) : (
        <FirstStep ended={ended} challenged={setChallenge} />
      )}
    </Sheet>
  );
}

interface FirstStepProps {
  readonly ended: Fault | "restarted" | undefined;
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

interface SecondStepProps {
  readonly challenge: Challenge;
  readonly end: (how: Fault | "restarted") => void;
}

/** The second factor. */
function SecondStep({ challenge: { methods, expireTime, rememberFor }, end }: SecondStepProps) {
  const { texts, format, countersign, presence, account, announce } = useApp();
  const { secondStep: own } = texts;
  const [rememberDevice, setRememberDevice] = useState(false);
  useEffect(() => {
    announce(own.lead);
    if (expireTime === undefined) return;
    // Nobody has to type a code to learn that it is too late.
    const timer = setTimeout(() => end(faultFor("CHALLENGE_INVALID")), expireTime.getTime() - Date.now());
    return () => clearTimeout(timer);
  }, []);
  const complete = async (proof: LoginProof) => {
    try {
      await countersign.completeLogin(proof, { rememberDevice });
    } catch (error) {
      const fault = faultOf(error);
      if (!ENDING.has(fault.reason)) throw error;
      end(fault);
      return;
    }
    presence.arrive();
  };
  return (
    <>
      <p class="lead">{own.lead}</p>
      {account.identifier && <p class="row-value">{own.who(account.identifier)}</p>}
      <SecondFactor methods={methods} action={texts.signIn.action} send={complete}>
        {rememberFor !== undefined && (
          <Tick ticked={rememberDevice} onTick={setRememberDevice}>
            {own.remember(format.span(rememberFor))}
          </Tick>
        )}
      </SecondFactor>
      <p class="more">
        <button type="button" class="text-button" onClick={() => end("restarted")}>
          {own.again}
        </button>
      </p>
    </>
  );
}
