import type { StartTotpResponse } from "@countersign/client";
import { useState } from "preact/hooks";
import { useApp } from "../app-context";
import { grouped } from "../qr";
import { Button } from "./action";
import { Copy } from "./copy";
import { Field } from "./field";
import { Form, Submit } from "./form";
import { QrCode } from "./qr-code";
import { StepHeading } from "./step-heading";
import { ProtectedForm } from "./step-up";

export interface AddAppProps {
  /** A name to begin with. */
  readonly name: string;
  /** Makes the key. Resolves to `undefined` when this page has ended. */
  readonly start: (name: string) => Promise<StartTotpResponse | undefined>;
  /** Enables the app, and resolves to the backup codes, or to `undefined` when this page has ended. */
  readonly confirm: (factorId: string, code: string) => Promise<readonly string[] | undefined>;
  /** The app is enabled. There are backup codes with the first one. */
  readonly added: (name: string, backupCodes: readonly string[]) => void;
  readonly cancel: () => void;
}

/** Adds an authenticator app: a name and a fresh proof, the key, and the first code. */
export function AddApp({ name: first, start, confirm, added, cancel }: AddAppProps) {
  const { texts } = useApp();
  const [started, setStarted] = useState<{ readonly name: string; readonly app: StartTotpResponse }>();
  const begin = async ({ name }: { name: string }) => {
    const app = await start(name);
    if (app) setStarted({ name, app });
  };
  return (
    <section class="card">
      {started === undefined ? (
        <>
          <StepHeading>{texts.addApp.title}</StepHeading>
          <p>{texts.addApp.lead}</p>
          <ProtectedForm fields={["name"]} send={begin}>
            <Field name="name" autocomplete="off" first={first} hint={texts.hints.appName} />
            <Submit>{texts.addApp.next}</Submit>
          </ProtectedForm>
        </>
      ) : (
        <Connect {...started} confirm={confirm} added={added} />
      )}
      <div class="buttons">
        <Button onClick={cancel}>{texts.cancel}</Button>
      </div>
    </section>
  );
}

interface ConnectProps extends Pick<AddAppProps, "confirm" | "added"> {
  readonly name: string;
  readonly app: StartTotpResponse;
}

/** Shows the key of the app, and takes its first code. */
function Connect({ name, app, confirm, added }: ConnectProps) {
  const { texts } = useApp();
  const { addApp: own } = texts;
  const send = async ({ totp_code: code }: { totp_code: string }) => {
    const backupCodes = await confirm(app.factorId, code);
    if (backupCodes) added(name, backupCodes);
  };
  return (
    <>
      <StepHeading>{own.connect}</StepHeading>
      <div class="key">
        <QrCode svg={app.qrSvg} />
        <div class="key-text">
          <p>{own.scan}</p>
          <p>{own.type}</p>
          <p>
            <code class="code key-letters">{grouped(app.secret)}</code>
          </p>
          <Copy text={app.secret}>{own.copy}</Copy>
          {app.otpauthUri.startsWith("otpauth://") && (
            <p>
              <a href={app.otpauthUri}>{own.open}</a>
            </p>
          )}
        </div>
      </div>
      <Form fields={["totp_code"]} inputs={{ code: "totp_code" }} send={send}>
        <Field name="totp_code" autocomplete="one-time-code" code="digits" hint={own.firstCode} />
        <Submit>{own.action}</Submit>
      </Form>
    </>
  );
}
