import { passkeysAvailable, type LoginMethod, type LoginProof } from "@countersign/client";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../app-context";
import { Action } from "./action";
import { Field } from "./field";
import { Form, Submit } from "./form";
import { PasskeyIcon } from "./icons";
import { Note } from "./note";

/** The methods, the easiest first. */
const METHODS = ["PASSKEY", "TOTP", "BACKUP_CODE"] as const satisfies readonly LoginMethod[];

/** What gets the focus: the field of a code, or the button for a passkey. */
const FIRST = "input.input, button";

export interface SecondFactorProps {
  /** What the account can prove now. */
  readonly methods: readonly LoginMethod[];
  /** The text of the button that sends a code. */
  readonly action: string;
  readonly send: (proof: LoginProof) => Promise<unknown>;
  /** What is shown above the button of each method. */
  readonly children?: ComponentChildren;
}

/** Asks for a passkey, for a code of an authenticator app, or for a backup code. The field or button gets the focus. */
export function SecondFactor({ methods, action, send, children }: SecondFactorProps) {
  const { texts } = useApp();
  const place = useRef<HTMLDivElement>(null);
  const [chosen, setChosen] = useState<LoginMethod>();
  const possible = METHODS.filter((method) => methods.includes(method) && (method !== "PASSKEY" || passkeysAvailable()));
  const method = possible.find((each) => each === chosen) ?? possible[0];
  useLayoutEffect(() => place.current?.querySelector<HTMLElement>(FIRST)?.focus(), [method]);

  if (method === undefined) return <Note tone="bad">{texts.code.none}</Note>;
  return (
    <div class="code-form" ref={place}>
      <Missing methods={methods} possible={possible} />
      {method === "PASSKEY" && <PasskeyStep send={() => send({ passkey: true })}>{children}</PasskeyStep>}
      {method === "TOTP" && (
        <Form key="app" fields={["totp_code"]} send={({ totp_code: totpCode }) => send({ totpCode })}>
          <Field name="totp_code" autocomplete="one-time-code" code="digits" hint={texts.hints.appCode} />
          {children}
          <Submit>{action}</Submit>
        </Form>
      )}
      {method === "BACKUP_CODE" && (
        <Form key="backup" fields={["backup_code"]} send={({ backup_code: backupCode }) => send({ backupCode })}>
          <Field name="backup_code" autocomplete="off" code="letters" hint={texts.hints.backupCode} />
          {children}
          <Submit>{action}</Submit>
        </Form>
      )}
      {possible
        .filter((each) => each !== method)
        .map((each) => (
          <button key={each} type="button" class="text-button" onClick={() => setChosen(each)}>
            {texts.code.instead[each]}
          </button>
        ))}
    </div>
  );
}

/** Why a method is missing that the person may expect. */
function Missing({ methods, possible }: Pick<SecondFactorProps, "methods"> & { readonly possible: readonly LoginMethod[] }) {
  const { texts } = useApp();
  if (methods.includes("PASSKEY") && !possible.includes("PASSKEY")) return <Note tone="plain">{texts.code.noPasskeys}</Note>;
  // Codes of the app are locked on this device, or the service has no passkeys at its address: `methods` says what can
  // be proven now, and not why the rest cannot.
  const isBackupOnly = !methods.includes("PASSKEY") && !methods.includes("TOTP");
  return isBackupOnly ? <Note tone="plain">{texts.code.onlyBackup}</Note> : null;
}

interface PasskeyStepProps extends Pick<SecondFactorProps, "children"> {
  readonly send: () => Promise<unknown>;
}

/** Browsers show a passkey only after a button was pressed. */
function PasskeyStep({ send, children }: PasskeyStepProps) {
  const { texts } = useApp();
  return (
    <div class="passkey-step">
      <p class="hint">{texts.code.passkeyHint}</p>
      {children}
      <Action kind="main" act={send}>
        <PasskeyIcon size={20} />
        {texts.code.passkeyAction}
      </Action>
    </div>
  );
}
