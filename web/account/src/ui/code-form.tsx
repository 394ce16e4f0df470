import type { CodeProof, LoginMethod } from "@countersign/client";
import { useEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../app-context";
import { Field } from "./field";
import { Form, Submit } from "./form";
import { Note } from "./note";

export interface CodeFormProps {
  /** What the account can prove now. */
  readonly methods: readonly LoginMethod[];
  readonly action: string;
  readonly send: (proof: CodeProof) => Promise<unknown>;
}

/** Asks for a code of an authenticator app, or for a backup code. The field gets the focus. */
export function CodeForm({ methods, action, send }: CodeFormProps) {
  const { texts } = useApp();
  const [backup, setBackup] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const [hasApp, hasBackup] = [methods.includes("TOTP"), methods.includes("BACKUP_CODE")];
  const byApp = hasApp && !(backup && hasBackup);
  useEffect(() => place.current?.querySelector("input")?.focus(), [byApp]);

  if (!hasApp && !hasBackup) return <Note tone="bad">{texts.code.none}</Note>;
  return (
    <div class="code-form" ref={place}>
      {!hasApp && <Note tone="plain">{texts.code.locked}</Note>}
      {byApp ? (
        <Form key="app" fields={["totp_code"]} send={({ totp_code: totpCode }) => send({ totpCode })}>
          <Field name="totp_code" autocomplete="one-time-code" code="digits" hint={texts.hints.appCode} />
          <Submit>{action}</Submit>
        </Form>
      ) : (
        <Form key="backup" fields={["backup_code"]} send={({ backup_code: backupCode }) => send({ backupCode })}>
          <Field name="backup_code" autocomplete="off" code="letters" hint={texts.hints.backupCode} />
          <Submit>{action}</Submit>
        </Form>
      )}
      {hasApp && hasBackup && (
        <button type="button" class="text-button" onClick={() => setBackup(byApp)}>
          {byApp ? texts.code.useBackup : texts.code.useApp}
        </button>
      )}
    </div>
  );
}
